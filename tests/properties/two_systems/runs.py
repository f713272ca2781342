"""The runner of `test_two_systems`: its calls, and the calls that must never happen."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from scheduling.domain.errors import Unavailable
from scheduling.domain.fire_events import parse_fire_event
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.runs import Execution, Fire, Outcome, Run, RunStatus

from tests.properties.two_systems.commands import INSTALLS, Act, Deliver, Interpreter, find_target
from tests.support.aws.calls import Killed
from tests.support.aws.memory import MemoryAws
from tests.support.faults.interleaving import CallResult
from tests.support.oracles.reference_model import ReferenceModel
from tests.support.stacks.fires import execute_fire
from tests.support.stacks.world import GROUP, TABLE, UNKNOWN_SCHEDULE_ID, World, timer_event

Occurrence = tuple[str, str]
_OUTCOMES = {
    "success": Outcome(status=RunStatus.SUCCESS, http_status=200),
    "retryable": Outcome(status=RunStatus.ERROR, http_status=503, error="503", retryable=True),
    "final": Outcome(status=RunStatus.ERROR, http_status=404, error="404"),
}


@dataclass
class RunLog:
    """The runner's calls and their outcomes."""

    calls: Counter[Occurrence] = field(default_factory=Counter)
    succeeded: Counter[Occurrence] = field(default_factory=Counter)
    reported_success: set[Occurrence] = field(default_factory=set)
    uncertain: Counter[Occurrence] = field(default_factory=Counter)
    """Deliveries that were killed or could not store their outcome: the occurrence may run again."""
    running: set[ScheduleId] = field(default_factory=set)
    pause: Callable[[], None] = lambda: None

    def prepare_delivery(
        self, world: World, model: ReferenceModel, command: Deliver
    ) -> tuple[Act, Interpreter] | None:
        """Return the delivery and the interpreter of its result, or None if the target does not exist."""
        schedule = find_target(model, command.target)
        if schedule is None or world.memory is None:
            return None
        install, _, schedule_id = schedule
        fire = _select_fire(world, world.memory, INSTALLS[install], schedule_id, command)
        if fire is None:
            return None
        runner = StagedRunner(self, world.memory, _OUTCOMES[command.outcome])

        def interpret(result: CallResult) -> None:
            self._record_result((fire.schedule_id, fire.scheduled_time), result)

        return lambda: execute_fire(world.services, runner, fire), interpret

    def _record_result(self, occurrence: Occurrence, result: CallResult) -> None:
        match result.error:
            case None:
                if isinstance(result.value, Run) and result.value.status is RunStatus.SUCCESS:
                    self.reported_success.add(occurrence)
            case Killed() | Unavailable():
                self.uncertain[occurrence] += 1
            case error:
                raise error

    def check_success_counts(self) -> None:
        """Assert that no occurrence succeeded more often than its uncertain deliveries explain."""
        assert not self.calls.keys() & {(UNKNOWN_SCHEDULE_ID, time) for _, time in self.calls}
        for occurrence, count in self.succeeded.items():
            assert count <= 1 + self.uncertain[occurrence], f"{occurrence} succeeded {count} times"

    def check_history(self, aws: MemoryAws) -> None:
        """Assert that the history has every reported success and every attempt."""
        rows = {
            (item["pk"]["S"].rpartition("#")[2], item["sk"]["S"].removeprefix("RUN#")): item
            for item in aws.items_of_type(TABLE, "run")
        }
        for occurrence, count in self.calls.items():
            assert int(rows[occurrence]["attempt"]["N"]) >= count, f"attempts at {occurrence}"
        for occurrence in self.reported_success:
            assert rows[occurrence]["status"]["S"] == "success", f"{occurrence} was reported as a success"
        for occurrence, row in rows.items():
            if row["status"]["S"] == "success":
                assert self.succeeded[occurrence], f"{occurrence} never succeeded"


@dataclass
class StagedRunner:
    """A runner with the delivery's outcome; other actions may continue during its call."""

    runs: RunLog
    aws: MemoryAws
    outcome: Outcome

    def __call__(self, execution: Execution) -> Outcome:
        """Check that the run is allowed, record it, and return the outcome."""
        fire, install, schedule = execution.fire, execution.install, execution.schedule
        occurrence = (fire.schedule_id, fire.scheduled_time)
        assert install.active, "run for an install that is not active"
        assert schedule.should_have_timer, "run though disabled or deleted"
        assert _should_fire(self.aws, fire), "run though disabled or deleted after the read"
        assert fire.schedule_id not in self.runs.running, "two runs of a schedule at the same time"
        assert occurrence not in self.runs.reported_success, "run again after its success"
        self.runs.running.add(fire.schedule_id)
        try:
            self.runs.calls[occurrence] += 1
            self.runs.pause()
            self.runs.succeeded[occurrence] += self.outcome.status is RunStatus.SUCCESS
        finally:
            self.runs.running.discard(fire.schedule_id)
        return self.outcome


def _select_fire(
    world: World, aws: MemoryAws, install_id: InstallId, schedule_id: ScheduleId, command: Deliver
) -> Fire | None:
    """Return the occurrence to deliver; None if it is a manual run and there is none."""
    if command.which == "manual":
        delivered = [each for each in world.list_executor_events() if each["scheduleId"] == schedule_id]
        return parse_fire_event(delivered[-1]).fire if delivered else None
    if command.which == "unknown":
        schedule_id = UNKNOWN_SCHEDULE_ID
    revision = _timer_revision(aws, schedule_id) - (command.which == "stale")
    return Fire(
        install_id=install_id, schedule_id=schedule_id, timer_revision=revision, scheduled_time=command.time
    )


def _should_fire(aws: MemoryAws, fire: Fire) -> bool:
    """Return whether the schedule should fire, by its row as stored now."""
    row = aws.tables[TABLE].items.get((f"INSTALL#{fire.install_id}", f"SCHEDULE#{fire.schedule_id}"))
    return bool(row and row["state"]["S"] == "active" and row["enabled"]["BOOL"] and "suspended" not in row)


def _timer_revision(aws: MemoryAws, schedule_id: ScheduleId) -> int:
    timer = aws.timers.groups[GROUP].get(schedule_id)
    return int(timer_event(timer)["revision"]) if timer else 1
