"""The AWS calls of a story's function: undisturbed, and with a fault or an overtaking change at each call."""

import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from scheduling.domain.errors import Conflict, SchedulingError, TimerFailed
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule
from scheduling.operations.sync.converge import converge

from tests.support.aws.calls import Call, client_error, lost_response_error
from tests.support.faults.cases import Case, CaseAction, new_case
from tests.support.policies.iam_grants import required_grants
from tests.support.policies.iam_stories import Story
from tests.support.stacks.functions import Context, deploy_functions, load_function
from tests.support.stacks.world import ADMIN, TENANT, World, new_world, update_input


def _disable_schedules(case: Case) -> None:
    for schedule in case.world.services.schedules.read_all_schedules(case.install_id):
        update_schedule(case.world.services, case.install_id, schedule.id, update_input(enabled=False))


def _change_schedules(case: Case) -> None:
    for schedule in case.world.services.schedules.read_all_schedules(case.install_id):
        update_schedule(
            case.world.services, case.install_id, schedule.id, update_input(cron="7 * * * *", enabled=True)
        )


def _delete_schedules(case: Case) -> None:
    for schedule in case.world.services.schedules.read_all_schedules(case.install_id):
        delete_schedule(case.world.services, case.install_id, schedule.id)


def _sync_schedules(case: Case) -> None:
    for schedule in case.world.services.schedules.read_all_schedules(case.install_id):
        if schedule.pending:
            converge(case.world.services, schedule)


def _resume_and_enable(case: Case) -> None:
    set_tenant_paused(case.world.services, TENANT, paused=False, actor=ADMIN)
    set_install_enabled(case.world.services, case.install_id, enabled=True, actor=ADMIN)


_CONCURRENT_CHANGES: tuple[CaseAction, ...] = (
    _disable_schedules,
    _change_schedules,
    _delete_schedules,
    _sync_schedules,
)
"""The changes that another function may make to the install's schedules between two calls, besides resuming it."""


@contextmanager
def _record_calls(
    case: Case, fault: Callable[[Call, int], None], after: Callable[[int], None]
) -> Iterator[list[Call]]:
    """Record the calls of the function under test, without those of an overtaking change."""
    calls: list[Call] = []
    overtaking = False

    def before_call(call: Call) -> None:
        nonlocal overtaking
        if overtaking:
            return
        calls.append(call)
        overtaking = True
        try:
            fault(call, len(calls))
        finally:
            overtaking = False

    def after_call(_call: Call) -> None:
        if not overtaking:
            after(len(calls))

    case.world.calls.before, case.world.calls.after = before_call, after_call
    yield calls
    case.world.calls.before = case.world.calls.after = None


def _invoke_handler(event: dict[str, Any], handler: Any) -> bool:
    """Invoke the handler and return whether it succeeded."""
    try:
        response = handler(event, Context())
    except (SchedulingError, TimerFailed, Conflict):
        return False
    return bool(response.get("statusCode", 200) < 400 and not response.get("batchItemFailures"))


def _do_nothing(*_arguments: object) -> None:
    pass


def _throttle_call(number: int, _case: Case, call: Call, position: int) -> None:
    if position == number:
        raise client_error("ThrottlingException", call.operation)


def _refuse_call_permanently(number: int, _case: Case, call: Call, position: int) -> None:
    if position == number:
        raise client_error("ValidationException", call.operation)


def _overtake_call(change: CaseAction, number: int, case: Case, _call: Call, position: int) -> None:
    if position == number:
        with suppress(SchedulingError, TimerFailed, Conflict):
            change(case)


def _lose_response(number: int, position: int) -> None:
    if position == number:
        raise lost_response_error()


_Fault = Callable[[int, Case, Call, int], None]
_NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"


def _faults_at(number: int, call: Call) -> Iterator[_Fault]:
    """Yield the faults at a call: by day, only one of the changes of schedules, another one at the next call."""
    yield _throttle_call
    yield partial(_overtake_call, _resume_and_enable)
    for position, change in enumerate(_CONCURRENT_CHANGES):
        if _NIGHTLY or position == number % len(_CONCURRENT_CHANGES):
            yield partial(_overtake_call, change)
    if call.service == "scheduler":
        yield _refuse_call_permanently


@dataclass
class _Scenario:
    """A function before its event; each run starts from the saved state."""

    case: Case
    event: dict[str, Any]
    handler: Any
    succeeded: bool = False

    def __post_init__(self) -> None:
        world = self.case.world
        assert world.memory
        self._saved_state = pickle.dumps((world.memory.tables, world.memory.timers))
        self._saved_time = world.clock[0]

    def run_disturbed(
        self, fault: Callable[[Case, Call, int], None], after: Callable[[int], None]
    ) -> list[Call]:
        """Run the function from the saved state and return its calls; `succeeded` holds the result."""
        world = self.case.world
        assert world.memory
        world.memory.tables, world.memory.timers = pickle.loads(self._saved_state)  # noqa: S301 (dumped above)
        world.clock[0] = self._saved_time
        # As in a new process: versions are cached.
        world.services.installs._versions.clear()
        with _record_calls(self.case, partial(fault, self.case), after) as calls:
            self.succeeded = _invoke_handler(self.event, self.handler)
        return calls


def _create_scenario(story: Story, world: World, handler: Any) -> _Scenario:
    case = new_case(world)
    for step in story.preparations:
        step(case)
    return _Scenario(case, story.event(case), handler)


def _calls_to_disturb(calls: list[Call], disturbed: set[object]) -> list[int]:
    """Return the number of each call; of the queries of an index, shard by shard, only the first.

    By day, only one that needs the same grants in all stories of a function: those of a sweep differ in a few calls.
    """
    numbers = []
    indexes = [call.arguments.get("IndexName") for call in calls]
    for position, (call, index) in enumerate(zip(calls, indexes, strict=True)):
        if index is not None and position and indexes[position - 1] == index:
            continue
        grants = required_grants(call)
        if _NIGHTLY or grants not in disturbed:
            numbers.append(position + 1)
        disturbed.add(grants)
    return numbers


def record_disturbed_calls(story: Story, disturbed: set[object]) -> list[Call]:
    """Return the calls of the story's function, undisturbed and with each fault at each call.

    `disturbed` has the grants of the calls disturbed in the function's other stories, and gets those of this one.
    """
    with new_world(aws="memory") as world, deploy_functions(world):
        module = load_function(story.function)
        if hasattr(module, "run_endpoint"):
            module.run_endpoint = world.runner
        world.calls.invoke = lambda event: module.handler(event, Context())
        scenario = _create_scenario(story, world, module.handler)
        calls = scenario.run_disturbed(_do_nothing, _do_nothing)
        assert scenario.succeeded is not story.fails
        all_calls = list(calls)
        for number in _calls_to_disturb(calls, disturbed):
            for fault in _faults_at(number, calls[number - 1]):
                all_calls += scenario.run_disturbed(partial(fault, number), _do_nothing)
            all_calls += scenario.run_disturbed(_do_nothing, partial(_lose_response, number))
        return all_calls
