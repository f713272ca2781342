"""Run several actions concurrently, one AWS call at a time, in an order and with faults that a test chooses."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from botocore.exceptions import ClientError, ConnectTimeoutError

from tests.support.aws.calls import AwsCalls, Call, Killed, client_error, lost_response_error
from tests.support.aws.memory import MemoryAws

WATCHDOG_SECONDS = 20.0


class Fault(Enum):
    """A fault of one AWS call."""

    KILLED_BEFORE = "the function dies before it"
    KILLED_AFTER = "the function dies after it"
    RESPONSE_LOST = "sent, response lost"
    NOT_CONNECTED = "never sent"
    THROTTLED = "throttled"
    ERROR = "5xx, not applied"
    ERROR_AFTER = "5xx, but applied"
    PERMANENTLY_REFUSED = "permanently refused by EventBridge"
    TRANSACTION_CONFLICT = "refused for a concurrent transaction"
    REPEATED = "sent twice by the SDK, whose first response was lost"


@dataclass(frozen=True)
class InterleavingPlan:
    """Which actor continues and for how many calls, and the fault of each call; the default has neither.

    `faults` are numbered by call, `timer_faults` by call of EventBridge Scheduler.
    """

    choices: Sequence[tuple[int, int]] = ()
    faults: Mapping[int, Fault] = field(default_factory=dict)
    timer_faults: Mapping[int, Fault] = field(default_factory=dict)


@dataclass
class CallResult:
    """The value or the error of an action."""

    value: Any = None
    error: BaseException | None = None


@dataclass
class _Actor:
    action: Callable[[], Any]
    result: CallResult = field(default_factory=CallResult)
    resume_signal: Any = field(default_factory=threading.Semaphore)
    finished: bool = False
    killed: bool = False
    pending_error: BaseException | None = None


class Interleaving:
    """Runs several actions, each in its own thread and only one at any time."""

    def __init__(self, calls: AwsCalls, aws: MemoryAws, plan: InterleavingPlan) -> None:
        self._calls, self._aws, self._plan = calls, aws, plan
        self._yield_signal = threading.Semaphore(0)
        self._thread_state = threading.local()
        self._choices = iter(plan.choices)
        self._active_actor: _Actor | None = None
        self._steps_left = self._call_count = self._timer_call_count = 0
        self._stopped = False

    def run_actions(self, actions: Sequence[Callable[[], Any]]) -> list[CallResult]:
        """Run the actions to their ends and return their results."""
        actors = [_Actor(action, resume_signal=threading.Semaphore(0)) for action in actions]
        self._calls.before, self._calls.after = self._before_call, self._after_call
        try:
            for actor in actors:
                threading.Thread(target=self._run_actor, args=(actor,), daemon=True).start()
            while waiting := [actor for actor in actors if not actor.finished]:
                self._choose_actor(waiting).resume_signal.release()
                if not self._yield_signal.acquire(timeout=WATCHDOG_SECONDS):
                    self._stopped = True
                    raise AssertionError(
                        f"an action does not reach its next call: {self._calls.recorded[-5:]}"
                    )
        finally:
            self._calls.before = self._calls.after = None
        return [actor.result for actor in actors]

    def yield_control(self) -> None:
        """Let other actions continue first; also used during the call of the runner."""
        actor: _Actor | None = getattr(self._thread_state, "actor", None)
        if actor is None:
            return
        self._yield_signal.release()
        actor.resume_signal.acquire()
        if self._stopped or actor.killed:
            raise Killed

    def _choose_actor(self, waiting: Sequence[_Actor]) -> _Actor:
        if self._steps_left == 0 or self._active_actor not in waiting:
            # Without a further choice, the actions run one after the other.
            index, self._steps_left = next(self._choices, (0, -1))
            self._active_actor = waiting[index % len(waiting)]
        self._steps_left -= 1
        assert self._active_actor is not None
        return self._active_actor

    def _run_actor(self, actor: _Actor) -> None:
        self._thread_state.actor = actor
        actor.resume_signal.acquire()
        try:
            actor.result.value = actor.action()
        except BaseException as error:  # noqa: BLE001 - returned to the caller of run_actions
            actor.result.error = error
        actor.finished = True
        self._yield_signal.release()

    def _next_fault(self, call: Call) -> Fault | None:
        fault = self._plan.faults.get(self._call_count)
        self._call_count += 1
        if call.service == "scheduler":
            fault = fault or self._plan.timer_faults.get(self._timer_call_count)
            self._timer_call_count += 1
        return fault

    def _before_call(self, call: Call) -> None:
        actor: _Actor | None = getattr(self._thread_state, "actor", None)
        if actor is None:
            return
        if actor.killed:
            raise Killed
        self.yield_control()
        fault = self._next_fault(call)
        if fault is Fault.REPEATED:
            self._aws.repeat_next = True
        elif fault is Fault.KILLED_BEFORE:
            actor.killed = True
            raise Killed
        elif fault is not None and (error := _error_before_call(fault, call)):
            raise error
        elif fault in (Fault.KILLED_AFTER, Fault.RESPONSE_LOST, Fault.ERROR_AFTER):
            actor.pending_error = _error_after_call(fault, call)

    def _after_call(self, _call: Call) -> None:
        actor: _Actor | None = getattr(self._thread_state, "actor", None)
        if actor is not None and actor.pending_error is not None:
            error, actor.pending_error = actor.pending_error, None
            actor.killed = isinstance(error, Killed)
            raise error


def _error_before_call(fault: Fault, call: Call) -> BaseException | None:
    if fault is Fault.NOT_CONNECTED:
        return ConnectTimeoutError(endpoint_url="https://aws.test")
    if fault is Fault.THROTTLED:
        return client_error("ThrottlingException", call.operation)
    if fault is Fault.ERROR:
        return client_error("InternalServerError", call.operation, 500)
    if fault is Fault.PERMANENTLY_REFUSED and call.service == "scheduler":
        return client_error("ValidationException", call.operation)
    if fault is Fault.TRANSACTION_CONFLICT:
        return _conflict_error(call)
    return None


def _error_after_call(fault: Fault, call: Call) -> BaseException:
    if fault is Fault.KILLED_AFTER:
        return Killed()
    return (
        lost_response_error()
        if fault is Fault.RESPONSE_LOST
        else client_error("InternalServerError", call.operation, 500)
    )


def _conflict_error(call: Call) -> ClientError | None:
    """Return the error that DynamoDB has for writes; None for other calls."""
    if call.operation in ("PutItem", "UpdateItem", "DeleteItem"):
        return client_error("TransactionConflictException", call.operation)
    if call.operation != "TransactWriteItems":
        return None
    error = client_error("TransactionCanceledException", call.operation)
    reasons = [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]
    error.response["CancellationReasons"] = reasons  # type: ignore[typeddict-item]
    return error
