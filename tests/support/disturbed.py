"""The calls that a function makes for a story: left alone, and with each of its calls disturbed in each way."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from scheduling.domain.errors import Conflict, RunFailed, SchedulingError, TimerFailed
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule
from scheduling.operations.sync.converge import converge

from tests.support.aws_calls import Call, lost, refused
from tests.support.cases import Case, Step, new_case
from tests.support.functions import Context, deployed, load
from tests.support.iam_stories import Story
from tests.support.world import ADMIN, TENANT, World, changed, new_world


def _disabled(case: Case) -> None:
    for schedule in case.world.services.schedules.read_all_schedules(case.install_id):
        update_schedule(case.world.services, case.install_id, schedule.id, changed(enabled=False))


def _altered(case: Case) -> None:
    for schedule in case.world.services.schedules.read_all_schedules(case.install_id):
        update_schedule(
            case.world.services, case.install_id, schedule.id, changed(cron="7 * * * *", enabled=True)
        )


def _deleted(case: Case) -> None:
    for schedule in case.world.services.schedules.read_all_schedules(case.install_id):
        delete_schedule(case.world.services, case.install_id, schedule.id)


def _settled(case: Case) -> None:
    for schedule in case.world.services.schedules.read_all_schedules(case.install_id):
        if schedule.pending:
            converge(case.world.services, schedule)


def _turned_on(case: Case) -> None:
    set_tenant_paused(case.world.services, TENANT, paused=False, actor=ADMIN)
    set_install_enabled(case.world.services, case.install_id, enabled=True, actor=ADMIN)


_OVERTAKING: tuple[Step, ...] = (_disabled, _altered, _deleted, _settled, _turned_on)
"""What another function may do to the install's schedules in between."""


@contextmanager
def _recorded(
    case: Case, fault: Callable[[Call, int], None], after: Callable[[int], None]
) -> Iterator[list[Call]]:
    """The calls of the function under test, without those of whoever overtakes it."""
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


def _act(event: dict[str, Any], handler: Any) -> bool:
    """Whether it went well."""
    try:
        answer = handler(event, Context())
    except (SchedulingError, RunFailed, TimerFailed, Conflict):
        return False
    return bool(answer.get("statusCode", 200) < 400)


def _nothing(*_arguments: object) -> None:
    pass


def _throttled(number: int, _case: Case, call: Call, at: int) -> None:
    if at == number:
        raise refused("ThrottlingException", call.operation)


def _refused_for_good(number: int, _case: Case, call: Call, at: int) -> None:
    if at == number:
        raise refused("ValidationException", call.operation)


def _overtaken(by: Step, number: int, case: Case, _call: Call, at: int) -> None:
    if at == number:
        with suppress(SchedulingError, TimerFailed, Conflict):
            by(case)


def _unanswered(number: int, at: int) -> None:
    if at == number:
        raise lost()


_Fault = Callable[[int, Case, Call, int], None]
_FAULTS: tuple[_Fault, ...] = (_throttled, *(partial(_overtaken, by) for by in _OVERTAKING))
_FAULTS_OF_EVENTBRIDGE = (*_FAULTS, _refused_for_good)


@dataclass
class _Scene:
    """A function that is about to get its event; what was before comes back each time."""

    case: Case
    event: dict[str, Any]
    handler: Any

    def __post_init__(self) -> None:
        world = self.case.world
        assert world.memory
        self._before = pickle.dumps((world.memory.tables, world.memory.timers))
        self._time = world.clock[0]

    def tell(self, fault: Callable[[Case, Call, int], None], after: Callable[[int], None]) -> list[Call]:
        """What the function calls; `well` says how it ended."""
        world = self.case.world
        assert world.memory
        world.memory.tables, world.memory.timers = pickle.loads(self._before)  # noqa: S301 (its own)
        world.clock[0] = self._time
        with _recorded(self.case, partial(fault, self.case), after) as calls:
            self.well = _act(self.event, self.handler)
        return calls


def _scene(story: Story, world: World, handler: Any) -> _Scene:
    case = new_case(world)
    for step in story.before:
        step(case)
    return _Scene(case, story.event(case), handler)


def _worth_disturbing(calls: list[Call]) -> list[int]:
    """The number of each call, but of queries of an index, part after part, that of the first alone."""
    indexes = [call.arguments.get("IndexName") for call in calls]
    return [
        at + 1 for at, index in enumerate(indexes) if index is None or at == 0 or indexes[at - 1] != index
    ]


def calls_of(story: Story) -> list[Call]:
    """What the story's function calls, left alone and with each of its calls disturbed in each way."""
    with new_world(aws="memory") as world, deployed(world):
        module = load(story.function)
        if hasattr(module, "run_endpoint"):
            module.run_endpoint = world.runner
        scene = _scene(story, world, module.handler)
        calls = scene.tell(_nothing, _nothing)
        assert scene.well is not story.fails
        found = list(calls)
        for number in _worth_disturbing(calls):
            of_eventbridge = calls[number - 1].service == "scheduler"
            for fault in _FAULTS_OF_EVENTBRIDGE if of_eventbridge else _FAULTS:
                found += scene.tell(partial(fault, number), _nothing)
            found += scene.tell(_nothing, partial(_unanswered, number))
        return found
