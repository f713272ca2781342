"""Calls made at the same time, one AWS call at a time, in an order and with faults that a test chooses."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from botocore.exceptions import ClientError, ConnectTimeoutError

from tests.support.aws_calls import AwsCalls, Call, Killed, lost, refused
from tests.support.memory_aws import MemoryAws

WATCHDOG_SECONDS = 20.0


class Fault(Enum):
    """What goes wrong with one AWS call."""

    KILLED_BEFORE = "the function dies before it"
    KILLED_AFTER = "the function dies after it"
    LOST = "made, its answer lost"
    NOT_CONNECTED = "never made"
    THROTTLED = "throttled"
    ERROR = "5xx, not made"
    ERROR_AFTER = "5xx, yet made"
    REFUSED = "refused by EventBridge for good"
    CONFLICT = "refused for a concurrent transaction"
    REPEATED = "made twice by the SDK, whose first answer was lost"


@dataclass(frozen=True)
class Plan:
    """Who goes on where several could, and for how many calls, and what befalls which call; shrinks to nothing.

    Both kinds of fault go by number: of a call among all, and of a call among those of EventBridge.
    """

    choices: Sequence[tuple[int, int]] = ()
    faults: Mapping[int, Fault] = field(default_factory=dict)
    timer_faults: Mapping[int, Fault] = field(default_factory=dict)


@dataclass
class Result:
    """How a call ended."""

    value: Any = None
    error: BaseException | None = None


@dataclass
class _Actor:
    act: Callable[[], Any]
    result: Result = field(default_factory=Result)
    go: Any = field(default_factory=threading.Semaphore)
    done: bool = False
    dead: bool = False
    after: BaseException | None = None


class Interleaving:
    """Lets several calls take turns. Each runs in its own thread, and only one of them at any time."""

    def __init__(self, calls: AwsCalls, aws: MemoryAws, plan: Plan) -> None:
        self._calls, self._aws, self._plan = calls, aws, plan
        self._turn = threading.Semaphore(0)
        self._here = threading.local()
        self._choices = iter(plan.choices)
        self._chosen: _Actor | None = None
        self._steps_left = self._made = self._timers_made = 0
        self._stopped = False

    def run(self, acts: Sequence[Callable[[], Any]]) -> list[Result]:
        """How each of them ended, once all have."""
        actors = [_Actor(act, go=threading.Semaphore(0)) for act in acts]
        self._calls.before, self._calls.after = self._before, self._after
        try:
            for actor in actors:
                threading.Thread(target=self._live, args=(actor,), daemon=True).start()
            while waiting := [actor for actor in actors if not actor.done]:
                self._choose(waiting).go.release()
                if not self._turn.acquire(timeout=WATCHDOG_SECONDS):
                    self._stopped = True
                    raise AssertionError(f"a call does not come to its next step: {self._calls.made[-5:]}")
        finally:
            self._calls.before = self._calls.after = None
        return [actor.result for actor in actors]

    def pause(self) -> None:
        """A point where others may go on first; the runner's call is one."""
        actor: _Actor | None = getattr(self._here, "actor", None)
        if actor is None:
            return
        self._turn.release()
        actor.go.acquire()
        if self._stopped or actor.dead:
            raise Killed

    def _choose(self, waiting: Sequence[_Actor]) -> _Actor:
        if self._steps_left == 0 or self._chosen not in waiting:
            who, self._steps_left = next(
                self._choices, (0, -1)
            )  # once no choice is left, one after the other
            self._chosen = waiting[who % len(waiting)]
        self._steps_left -= 1
        assert self._chosen is not None
        return self._chosen

    def _live(self, actor: _Actor) -> None:
        self._here.actor = actor
        actor.go.acquire()
        try:
            actor.result.value = actor.act()
        except BaseException as error:  # noqa: BLE001 - handed to whoever started it
            actor.result.error = error
        actor.done = True
        self._turn.release()

    def _fault(self, call: Call) -> Fault | None:
        fault = self._plan.faults.get(self._made)
        self._made += 1
        if call.service == "scheduler":
            fault = fault or self._plan.timer_faults.get(self._timers_made)
            self._timers_made += 1
        return fault

    def _before(self, call: Call) -> None:
        actor: _Actor | None = getattr(self._here, "actor", None)
        if actor is None:
            return
        if actor.dead:
            raise Killed
        self.pause()
        fault = self._fault(call)
        if fault is Fault.REPEATED:
            self._aws.repeat_next = True
        elif fault is Fault.KILLED_BEFORE:
            actor.dead = True
            raise Killed
        elif fault is not None and (error := _prevents(fault, call)):
            raise error
        elif fault in (Fault.KILLED_AFTER, Fault.LOST, Fault.ERROR_AFTER):
            actor.after = _follows(fault, call)

    def _after(self, _call: Call) -> None:
        actor: _Actor | None = getattr(self._here, "actor", None)
        if actor is not None and actor.after is not None:
            error, actor.after = actor.after, None
            actor.dead = isinstance(error, Killed)
            raise error


def _prevents(fault: Fault, call: Call) -> BaseException | None:
    if fault is Fault.NOT_CONNECTED:
        return ConnectTimeoutError(endpoint_url="https://aws.test")
    if fault is Fault.THROTTLED:
        return refused("ThrottlingException", call.operation)
    if fault is Fault.ERROR:
        return refused("InternalServerError", call.operation, 500)
    if fault is Fault.REFUSED and call.service == "scheduler":
        return refused("ValidationException", call.operation)
    if fault is Fault.CONFLICT:
        return _conflict(call)
    return None


def _follows(fault: Fault, call: Call) -> BaseException:
    if fault is Fault.KILLED_AFTER:
        return Killed()
    return lost() if fault is Fault.LOST else refused("InternalServerError", call.operation, 500)


def _conflict(call: Call) -> ClientError | None:
    """DynamoDB alone has this refusal, and for writes alone."""
    if call.operation in ("PutItem", "UpdateItem", "DeleteItem"):
        return refused("TransactionConflictException", call.operation)
    if call.operation != "TransactWriteItems":
        return None
    error = refused("TransactionCanceledException", call.operation)
    reasons = [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]
    error.response["CancellationReasons"] = reasons  # type: ignore[typeddict-item]
    return error
