"""Stop an operation at one of its AWS calls, and report what its caller receives."""

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from scheduling.domain.errors import SchedulingError
from scheduling.domain.runs import SkipReason
from scheduling.operations.installs.tenants import PauseResult

from tests.support.aws.calls import AwsCalls, Call, Killed, client_error, lost_response_error
from tests.support.faults.crash_operations import OPERATIONS, CrashCase, CrashOperation, new_case
from tests.support.stacks.world import World

_UNFINISHED = (SkipReason.OVERLAP, SkipReason.RUNNING, SkipReason.UNAVAILABLE)
FAULTS = ("killed before", "killed after", "response lost", "throttled", "outage")
"""`outage` lasts until the operation ends; the others affect one call."""


@dataclass
class CaseSnapshot:
    """The saved state of a case, to start the operation from again and again."""

    case: CrashCase

    def __post_init__(self) -> None:
        memory = self.case.world.memory
        assert memory
        self._saved_state = pickle.dumps((memory.tables, memory.timers, memory.queues))
        self._saved_time = self.case.world.clock[0]
        self._saved_versions = dict(self._version_cache())

    def _version_cache(self) -> dict[str, Any]:
        """Return the versions that the process has cached."""
        return cast("dict[str, Any]", vars(self.case.world.services.installs)["_versions"])

    def restore(self) -> CrashCase:
        """Restore and return the case, including its cached versions."""
        world = self.case.world
        assert world.memory
        world.memory.tables, world.memory.timers, world.memory.queues = pickle.loads(self._saved_state)  # noqa: S301 (dumped above)
        world.clock[0] = self._saved_time
        world.calls.recorded.clear()
        versions = self._version_cache()
        versions.clear()
        versions |= self._saved_versions
        return self.case


def record_calls(snapshot: CaseSnapshot, operation: CrashOperation) -> Sequence[Call]:
    """Return the AWS calls of the operation when nothing fails."""
    case = snapshot.restore()
    operation.act(case)
    return list(case.world.calls.recorded)


def inject_fault(calls: AwsCalls, number: int, fault: str) -> None:
    """Inject the fault at the `number`th call from now on."""
    call_count = 0

    def before(_call: Call) -> None:
        nonlocal call_count
        call_count += 1
        if fault == "killed before" and call_count == number:
            raise Killed
        if fault == "throttled" and call_count == number:
            raise client_error("ThrottlingException")
        if fault == "outage" and call_count >= number:
            raise lost_response_error()

    def after(_call: Call) -> None:
        if fault == "killed after" and call_count == number:
            raise Killed
        if fault == "response lost" and call_count == number:
            raise lost_response_error()

    calls.before, calls.after = before, after


def attempt_operation(case: CrashCase, operation: CrashOperation) -> str:
    """Return what the caller learns: `done`, `not done`, or `open` if neither is certain."""
    try:
        result = operation.act(case)
    except Killed:
        return "open"
    except SchedulingError as error:
        if operation is OPERATIONS["execute"] or "may still" in str(error) or "shortly" in str(error):
            return "open"
        return "not done"
    unfinished = result in _UNFINISHED or (isinstance(result, PauseResult) and not result.complete)
    return "open" if unfinished else "done"


def run_fault_cases(world: World, operation: CrashOperation, fault: str) -> Iterator[tuple[CrashCase, str]]:
    """Yield, for each AWS call of the operation, a case with a fault at that call and what its caller learns."""
    snapshot = CaseSnapshot(new_case(world, operation))
    for number in range(1, len(record_calls(snapshot, operation)) + 1):
        case = snapshot.restore()
        inject_fault(world.calls, number, fault)
        reported = attempt_operation(case, operation)
        world.calls.before = world.calls.after = None
        yield case, reported
