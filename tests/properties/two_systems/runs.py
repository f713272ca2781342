"""The runner of `test_two_systems`: its calls, and the calls that must never happen."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from scheduling.domain.deliveries.delivery import DeliveryResult
from scheduling.domain.errors import Unavailable
from scheduling.domain.fire_events import parse_fire_event
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.runs import MAX_ATTEMPTS, Execution, Fire, Outcome, RunStatus, SkipReason
from scheduling.operations.runs.deliver import deliver_occurrence

from tests.properties.two_systems.commands import (
    INSTALLS,
    Act,
    Deliver,
    Delivering,
    DeliverMessage,
    Interpreter,
    Redrive,
    find_target,
)
from tests.properties.two_systems.queue import Message, Queue
from tests.support.aws.calls import Killed
from tests.support.aws.memory import MemoryAws
from tests.support.faults.interleaving import CallResult
from tests.support.oracles.reference_model import ReferenceModel
from tests.support.stacks.world import GROUP, TABLE, UNKNOWN_SCHEDULE_ID, World, timer_event

Occurrence = tuple[str, str]
SUCCEEDED = Outcome(status=RunStatus.SUCCESS, http_status=200)
FAILED = Outcome(status=RunStatus.ERROR, http_status=503, error="503", retryable=True)
_OUTCOMES = {
    "success": SUCCEEDED,
    "retryable": FAILED,
    "final": Outcome(status=RunStatus.ERROR, http_status=404, error="404"),
    "no capacity": Outcome(
        status=RunStatus.ERROR, error="busy", runner_status=503, retryable=True, retry_after=timedelta()
    ),
}


@dataclass
class RunLog:
    """The runner's calls and their outcomes."""

    calls: Counter[Occurrence] = field(default_factory=Counter)
    succeeded: Counter[Occurrence] = field(default_factory=Counter)
    reported_success: set[Occurrence] = field(default_factory=set)
    uncertain: Counter[Occurrence] = field(default_factory=Counter)
    """Deliveries that were killed or could not store their outcome: the occurrence may run again."""
    redriven: Counter[Occurrence] = field(default_factory=Counter)
    running: set[ScheduleId] = field(default_factory=set)
    pause: Callable[[], None] = lambda: None

    def prepare_delivery(
        self, world: World, queue: Queue, model: ReferenceModel, command: Delivering
    ) -> tuple[Act, Interpreter] | None:
        """Return the delivery and the interpreter of its result, or None if there is nothing to deliver."""
        message = self._select_message(world, queue, model, command)
        return self.deliver(world, queue, message, _OUTCOMES[command.outcome]) if message else None

    def _select_message(
        self, world: World, queue: Queue, model: ReferenceModel, command: Delivering
    ) -> Message | None:
        match command:
            case DeliverMessage():
                return queue.select_message(command)
            case Redrive():
                message = queue.redrive_message(command)
                if message:
                    self.redriven[_occurrence_of(message.delivery.fire)] += 1
                return message
        schedule = find_target(model, command.target)
        if schedule is None or world.memory is None:
            return None
        install, _, schedule_id = schedule
        fire = _select_fire(world, world.memory, INSTALLS[install], schedule_id, command)
        return queue.add_fire(fire) if fire else None

    def redrive_dead_letters(self, queue: Queue) -> None:
        """Move all dead letters to the queue, and keep them, so that they can be moved once more."""
        self.redriven.update(map(_occurrence_of, queue.copy_dead_letters()))

    def deliver(
        self, world: World, queue: Queue, message: Message, outcome: Outcome
    ) -> tuple[Act, Interpreter]:
        """Return the delivery of the message and the interpreter of its result."""
        assert world.memory
        runner = StagedRunner(self, world.memory, outcome)

        def interpret(result: CallResult) -> None:
            queue.collect_messages()
            executed = {_occurrence_of(message.delivery.fire), *runner.executed}
            self._record_result(executed, result)
            if result.error is None:
                queue.acknowledge(message)

        return lambda: deliver_occurrence(world.services, runner, message.delivery), interpret

    def _record_result(self, executed: Iterable[Occurrence], result: CallResult) -> None:
        match result.error:
            case None:
                self._record_delivery_results(executed, result.value)
            case Killed() | Unavailable():
                self.uncertain.update(executed)
            case error:
                raise error

    def _record_delivery_results(
        self, executed: Iterable[Occurrence], results: Sequence[DeliveryResult]
    ) -> None:
        for each in results:
            if each.run and each.run.status is RunStatus.SUCCESS:
                self.reported_success.add(_occurrence_of(each.delivery.fire))
            if each.reason is SkipReason.UNAVAILABLE:
                self.uncertain.update(executed)

    def check_success_counts(self) -> None:
        """Assert that no occurrence succeeded more often than its uncertain deliveries explain."""
        assert not self.calls.keys() & {(UNKNOWN_SCHEDULE_ID, time) for _, time in self.calls}
        for occurrence, count in self.succeeded.items():
            assert count <= 1 + self.uncertain[occurrence], f"{occurrence} succeeded {count} times"
        for occurrence, count in self.calls.items():
            most = MAX_ATTEMPTS + self.redriven[occurrence] + self.uncertain[occurrence]
            assert count <= most, f"{occurrence} has had {count} attempts"

    def check_nothing_is_lost(self, world: World, queue: Queue, aws: MemoryAws) -> None:
        """Assert that every occurrence of a schedule that exists has ended, once the queue is empty."""
        for item in aws.items_of_type(TABLE, "schedule"):
            if item["state"]["S"] != "active":
                continue
            install_id = InstallId(item["pk"]["S"].removeprefix("INSTALL#"))
            schedule_id = ScheduleId(item["sk"]["S"].removeprefix("SCHEDULE#"))
            page = world.services.runs.read_run_page(install_id, schedule_id, before=None, limit=100)
            unfinished = [run for run in page.runs if not (run.is_final or run.status is RunStatus.MISSED)]
            assert unfinished == [], "nothing continues an occurrence"
            exhausted = {
                (schedule_id, run.scheduled_time)
                for run in page.runs
                if run.status is RunStatus.ERROR
                and run.attempt >= MAX_ATTEMPTS
                and run.http_status == FAILED.http_status
            }
            assert exhausted <= queue.dead_lettered, "the last failure is in no dead letter"

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
    executed: list[Occurrence] = field(default_factory=list)

    def __call__(self, execution: Execution) -> Outcome:
        """Check that the run is allowed, record it, and return the outcome."""
        fire, install, schedule = execution.fire, execution.install, execution.schedule
        occurrence = _occurrence_of(fire)
        assert install.active, "run for an install that is not active"
        assert schedule.should_have_timer, "run though disabled or deleted"
        assert _should_fire(self.aws, fire), "run though disabled or deleted after the read"
        assert fire.schedule_id not in self.runs.running, "two runs of a schedule at the same time"
        assert occurrence not in self.runs.reported_success, "run again after its success"
        self.runs.running.add(fire.schedule_id)
        try:
            self.executed.append(occurrence)
            self.runs.calls[occurrence] += self.outcome.retry_after is None  # else it was no attempt
            self.runs.pause()
            self.runs.succeeded[occurrence] += self.outcome.status is RunStatus.SUCCESS
        finally:
            self.runs.running.discard(fire.schedule_id)
        return self.outcome


def _occurrence_of(fire: Fire) -> Occurrence:
    return fire.schedule_id, fire.scheduled_time


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
