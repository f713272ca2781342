"""Deliveries of the queue: capacity, late occurrences, overlap, crashes, dead letters and outages."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from scheduling.domain.deliveries.delivery import Delivery
from scheduling.domain.errors import Unavailable
from scheduling.domain.fire_events import FireEvent, parse_fire_event
from scheduling.domain.ids import InstallId
from scheduling.domain.install import CatchUp
from scheduling.domain.runs import Execution, Fire, Outcome, Run, RunStatus, SkipReason
from scheduling.domain.schedule import Schedule
from scheduling.operations.runs.deliver import deliver_occurrence
from scheduling.operations.runs.run_now import run_now
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, Killed, client_error, lost_response_error
from tests.support.stacks.fires import (
    PlayedQueue,
    create_fire,
    delivery_from_message,
    execute_fire,
    list_history,
)
from tests.support.stacks.world import (
    ADMIN,
    DEAD_LETTER_QUEUE_URL,
    START,
    TABLE,
    TENANT,
    FakeRunner,
    World,
    aws_client,
    create_input,
    update_input,
)

SUCCEEDED = Outcome(status=RunStatus.SUCCESS, http_status=200)
FAILED = Outcome(status=RunStatus.ERROR, http_status=503, error="The extension answered 503", retryable=True)
BUSY = Outcome(
    status=RunStatus.ERROR,
    error="The runner answered 503",
    runner_status=503,
    retryable=True,
    retry_after=timedelta(),
)
HOUR = timedelta(hours=1)


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    return create_schedule(world.services, install_id, create_input())


@pytest.fixture
def queue(world: World) -> PlayedQueue:
    return PlayedQueue(world)


def with_limits(world: World, **limits: object) -> World:
    changed = replace(world.services.limits, **limits)  # type: ignore[arg-type]
    return replace(world, services=replace(world.services, limits=changed))


def list_statuses(world: World, schedule: Schedule) -> list[tuple[str, str, int]]:
    """Return hour, status and attempts of each occurrence, oldest first."""
    runs = reversed(list_history(world, schedule))
    return [(run.scheduled_time[11:16], run.status.value, run.attempt) for run in runs]


def list_expiry_times() -> list[datetime]:
    """Return when DynamoDB deletes the runs."""
    items = aws_client("dynamodb").scan(TableName=TABLE, ConsistentRead=True)["Items"]
    return [
        datetime.fromtimestamp(float(item["expiresAt"]["N"]), UTC)
        for item in items
        if item["type"]["S"] == "run"
    ]


def deliver(world: World, fire: Fire, runner: Callable[[Execution], Outcome] | None = None) -> list[str]:
    delivery = Delivery(event=FireEvent(fire=fire), accepted_at=world.clock[0], group=TENANT)
    results = deliver_occurrence(world.services, runner or world.runner, delivery)
    return [result.status for result in results]


class TestCapacity:
    def test_runner_without_capacity_costs_no_attempt(
        self, world: World, schedule: Schedule, queue: PlayedQueue
    ) -> None:
        world.runner.outcome = BUSY
        assert deliver(world, create_fire(schedule)) == ["waiting"]

        (run,) = list_history(world, schedule)
        row = get_schedule(world.services, schedule.install_id, schedule.id)
        assert (run.status, run.attempt, run.error) == (RunStatus.WAITING, 0, "The runner answered 503")
        assert (row.running_occurrence, row.lease_expires_at, row.last_run) == (None, None, None)

        queue.deliver_for(minutes=20)
        assert list_statuses(world, schedule) == [("09:00", "waiting", 0)]
        world.runner.outcome = SUCCEEDED
        queue.deliver_for(minutes=20)
        assert list_statuses(world, schedule) == [("09:00", "success", 1)]
        assert world.list_sent_messages(DEAD_LETTER_QUEUE_URL) == []

    def test_retry_after_is_honored(self, world: World, schedule: Schedule) -> None:
        world.runner.outcome = replace(BUSY, retry_after=timedelta(seconds=77))
        deliver(world, create_fire(schedule))

        (message,) = world.list_sent_messages()
        assert (message.delay, message.group) == (77, TENANT)
        assert message.event["firstSentAt"] == message.event["sentAt"] == "2026-11-23T09:00:00Z"

    def test_wait_ends_in_a_dead_letter(self, world: World, schedule: Schedule) -> None:
        patient = with_limits(world, max_wait_hours=2, catch_up=CatchUp.ALL)
        world.runner.outcome = BUSY
        deliver(patient, create_fire(schedule))
        PlayedQueue(patient).deliver_for(hours=3)

        (run,) = list_history(world, schedule)
        assert (run.status, run.attempt, run.started_at) == (RunStatus.ERROR, 0, START + 2 * HOUR)
        (dead_letter,) = world.list_sent_messages(DEAD_LETTER_QUEUE_URL)
        assert (dead_letter.event["replay"], "firstSentAt" in dead_letter.event) == (True, False)
        last = get_schedule(world.services, schedule.install_id, schedule.id).last_run
        assert last is not None
        assert last.error == "The runner answered 503"

    def test_lack_of_capacity_between_attempts_keeps_their_number(
        self, world: World, schedule: Schedule, queue: PlayedQueue
    ) -> None:
        world.runner.outcome = FAILED
        deliver(world, create_fire(schedule))
        world.runner.outcome = BUSY
        queue.deliver_for(minutes=2)
        assert list_statuses(world, schedule) == [("09:00", "waiting", 1)]
        world.runner.outcome = FAILED
        queue.deliver_for(hours=1)
        assert list_statuses(world, schedule) == [("09:00", "error", 3)]

    def test_schedule_disabled_meanwhile_is_not_run(
        self, world: World, schedule: Schedule, queue: PlayedQueue
    ) -> None:
        world.runner.outcome = BUSY
        deliver(world, create_fire(schedule))
        update_schedule(world.services, schedule.install_id, schedule.id, update_input(enabled=False))
        world.runner.executions.clear()

        queue.deliver_for(hours=1)

        (run,) = list_history(world, schedule)
        assert (run.status, run.error) == (
            RunStatus.SKIPPED,
            "The schedule was disabled, its install, or its tenant paused",
        )
        assert (world.runner.executions, queue.waiting) == ([], [])

    def test_schedule_deleted_meanwhile_leaves_no_message(
        self, world: World, schedule: Schedule, queue: PlayedQueue
    ) -> None:
        world.runner.outcome = BUSY
        deliver(world, create_fire(schedule))
        delete_schedule(world.services, schedule.install_id, schedule.id)

        assert [result.status for result in queue.deliver_for(hours=1)] == ["unknown"]
        assert queue.waiting == []


@pytest.mark.parametrize("outcome", [FAILED, BUSY], ids=["after an attempt", "without capacity"])
def test_copy_of_a_message_that_is_continued_sends_no_other(
    world: World, schedule: Schedule, outcome: Outcome
) -> None:
    world.runner.outcome = outcome
    deliver(world, create_fire(schedule))

    assert deliver(world, create_fire(schedule)) == ["duplicate"]
    assert len(world.list_sent_messages()) == 1


class TestLateOccurrences:
    def test_newest_runs_in_place_of_the_late_ones(self, world: World, schedule: Schedule) -> None:
        fires = [create_fire(schedule, f"2026-11-23T{hour:02}:00:00Z") for hour in (9, 10, 11, 12)]
        world.clock[0] = START + timedelta(hours=3, minutes=30)

        assert deliver(world, fires[0]) == ["success", "superseded"]
        assert [deliver(world, fire) for fire in fires[1:]] == [["superseded"], ["superseded"], ["duplicate"]]
        assert world.runner.fires == [fires[3]]
        assert list_statuses(world, schedule) == [
            ("09:00", "skipped", 0),
            ("10:00", "skipped", 0),
            ("11:00", "skipped", 0),
            ("12:00", "success", 1),
        ]
        assert list_history(world, schedule)[-1].error == "Superseded by 2026-11-23T12:00:00Z"

    def test_backlog_that_waited_for_capacity_is_not_worked_off(
        self, world: World, schedule: Schedule, queue: PlayedQueue
    ) -> None:
        world.runner.outcome = BUSY
        for hour in range(9, 13):
            queue.deliver_until(START.replace(hour=hour))
            deliver(world, create_fire(schedule, f"2026-11-23T{hour:02}:00:00Z"))
        world.runner.executions.clear()
        world.runner.outcome = SUCCEEDED
        queue.deliver_for(minutes=20)

        assert [status for _, status, _ in list_statuses(world, schedule)] == [*["skipped"] * 3, "success"]
        assert [fire.scheduled_time for fire in world.runner.fires] == ["2026-11-23T12:00:00Z"]

    def test_with_all_each_one_runs(self, world: World, schedule: Schedule) -> None:
        every = with_limits(world, catch_up=CatchUp.ALL)
        world.clock[0] = START + timedelta(hours=3, minutes=30)
        for hour in (9, 10, 11, 12):
            deliver(every, create_fire(schedule, f"2026-11-23T{hour:02}:00:00Z"))

        assert list_statuses(world, schedule) == [(f"{hour:02}:00", "success", 1) for hour in (9, 10, 11, 12)]

    def test_crash_between_the_newest_run_and_the_late_ones_row_is_repaired_by_redelivery(
        self, world: World, schedule: Schedule
    ) -> None:
        world.clock[0] = START + HOUR
        late = create_fire(schedule)

        def kill_at_record(call: Call) -> None:
            if call.operation == "PutItem":
                raise Killed

        world.calls.before = kill_at_record
        with pytest.raises(Killed):
            deliver(world, late)
        world.calls.before = None

        assert deliver(world, late) == ["superseded"]
        assert list_statuses(world, schedule) == [("09:00", "skipped", 0), ("10:00", "success", 1)]

    def test_late_one_that_is_delivered_twice_at_once_is_recorded_once(
        self, world: World, schedule: Schedule
    ) -> None:
        """The other delivery records it at the moment when this one is about to."""
        world.clock[0] = START + HOUR
        late = create_fire(schedule)
        statuses: list[str] = []

        def deliver_again(call: Call) -> None:
            if call.operation == "PutItem" and not statuses:
                statuses.append("")
                statuses.extend(deliver(world, late))

        world.calls.before = deliver_again

        assert deliver(world, late) == ["success", "superseded"]
        assert statuses == ["", "superseded"]
        assert list_statuses(world, schedule) == [("09:00", "skipped", 0), ("10:00", "success", 1)]

    def test_crash_of_the_newest_run_is_taken_over_by_redelivery_of_the_late_one(
        self, world: World, schedule: Schedule
    ) -> None:
        world.clock[0] = START + HOUR

        def die(_execution: Execution) -> Outcome:
            raise Killed

        with pytest.raises(Killed):
            deliver(world, create_fire(schedule), die)
        world.advance(minutes=4)

        assert deliver(world, create_fire(schedule)) == ["success", "superseded"]
        assert list_statuses(world, schedule) == [("09:00", "skipped", 0), ("10:00", "success", 2)]

    def test_late_one_that_ran_meanwhile_keeps_its_row(self, world: World, schedule: Schedule) -> None:
        world.clock[0] = START + HOUR
        late = create_fire(schedule)

        def record_late_run(_execution: Execution) -> Outcome:
            finished_run = Run(
                scheduled_time=late.scheduled_time,
                status=RunStatus.SUCCESS,
                attempt=1,
                started_at=world.clock[0],
            )
            world.services.runs.record_run(schedule, finished_run)
            return SUCCEEDED

        assert deliver(world, late, record_late_run) == ["success", "superseded"]
        assert list_statuses(world, schedule) == [("09:00", "success", 1), ("10:00", "success", 1)]


class TestOverlap:
    def test_with_all_the_next_waits_for_the_run_and_its_attempts(
        self, world: World, schedule: Schedule
    ) -> None:
        every = with_limits(world, catch_up=CatchUp.ALL)
        queue = PlayedQueue(every)
        world.runner.outcome = FAILED
        deliver(every, create_fire(schedule, "2026-11-23T08:00:00Z"))
        assert deliver(every, create_fire(schedule)) == ["overlap"]
        assert list_statuses(world, schedule) == [("08:00", "error", 1), ("09:00", "waiting", 0)]

        world.runner.outcome = SUCCEEDED
        queue.deliver_for(minutes=5)

        assert list_statuses(world, schedule) == [("08:00", "success", 2), ("09:00", "success", 1)]
        assert [fire.scheduled_time[11:13] for fire in world.runner.fires] == ["08", "08", "09"]

    def test_one_that_waits_for_another_is_continued(self, world: World, schedule: Schedule) -> None:
        every = with_limits(world, catch_up=CatchUp.ALL)
        world.runner.outcome = FAILED
        deliver(every, create_fire(schedule, "2026-11-23T08:00:00Z"))
        delivery = Delivery(event=FireEvent(fire=create_fire(schedule)), accepted_at=START, group=TENANT)

        (result,) = deliver_occurrence(every.services, world.runner, delivery)

        assert (result.run, result.reason, result.continued) == (None, SkipReason.OVERLAP, True)

    def test_with_latest_an_occurrence_between_its_attempts_holds_up_nobody(
        self, world: World, schedule: Schedule
    ) -> None:
        world.clock[0] = START + HOUR - timedelta(seconds=30)
        world.runner.outcome = FAILED
        deliver(world, create_fire(schedule, "2026-11-23T09:59:00Z"))
        world.advance(seconds=30)
        world.runner.outcome = SUCCEEDED
        assert deliver(world, create_fire(schedule, "2026-11-23T10:00:00Z")) == ["success"]

    def test_one_that_only_waits_for_capacity_holds_up_nobody(self, world: World, schedule: Schedule) -> None:
        every = with_limits(world, catch_up=CatchUp.ALL)
        world.runner.outcome = BUSY
        deliver(every, create_fire(schedule, "2026-11-23T08:00:00Z"))
        world.runner.outcome = SUCCEEDED

        assert deliver(every, create_fire(schedule)) == ["success"]

    def test_retry_that_meets_the_next_run_waits(
        self, world: World, schedule: Schedule, queue: PlayedQueue
    ) -> None:
        world.runner.outcome = FAILED
        deliver(world, create_fire(schedule))
        queue.collect_messages()
        world.clock[0] += HOUR

        def meet_retry(_execution: Execution) -> Outcome:
            queue.deliver_for(seconds=1)
            return SUCCEEDED

        world.runner.outcome = SUCCEEDED
        assert deliver(world, create_fire(schedule, "2026-11-23T10:00:00Z"), meet_retry) == ["success"]
        assert list_statuses(world, schedule) == [("09:00", "error", 1), ("10:00", "success", 1)]
        queue.deliver_for(minutes=2)
        assert list_statuses(world, schedule) == [("09:00", "success", 2), ("10:00", "success", 1)]


class TestDeadLetters:
    @pytest.fixture
    def failed(self, world: World, schedule: Schedule, queue: PlayedQueue) -> Fire:
        world.runner.outcome = FAILED
        deliver(world, create_fire(schedule))
        queue.deliver_for(minutes=10)
        world.runner.outcome = SUCCEEDED
        return create_fire(schedule)

    @pytest.mark.usefixtures("failed")
    def test_is_its_own_replay_and_runs_once(self, world: World, schedule: Schedule) -> None:
        (dead_letter,) = world.list_sent_messages(DEAD_LETTER_QUEUE_URL)
        world.runner.outcome = FAILED
        redrive = delivery_from_message(dead_letter, world.clock[0])
        for _ in range(3):
            deliver_occurrence(world.services, world.runner, redrive)

        assert list_statuses(world, schedule) == [("09:00", "error", 4)]
        second_letter = world.list_sent_messages(DEAD_LETTER_QUEUE_URL)[1]
        world.runner.outcome = SUCCEEDED
        deliver_occurrence(world.services, world.runner, delivery_from_message(second_letter, world.clock[0]))
        assert list_statuses(world, schedule) == [("09:00", "success", 5)]
        assert len(world.list_sent_messages(DEAD_LETTER_QUEUE_URL)) == 2

    def test_redriven_without_the_flag_is_a_replay_too(
        self, world: World, schedule: Schedule, failed: Fire
    ) -> None:
        assert deliver(world, failed) == ["duplicate"]
        world.advance(hours=2)

        assert deliver(world, failed) == ["success"]
        assert deliver(world, failed) == ["duplicate"]
        assert list_statuses(world, schedule) == [("09:00", "success", 4)]

    def test_replayed_again_and_again_while_the_schedule_is_disabled_changes_nothing(
        self, world: World, schedule: Schedule, failed: Fire
    ) -> None:
        """The first replay closes the run; the others find nothing to change."""
        update_schedule(world.services, schedule.install_id, schedule.id, update_input(enabled=False))

        replay = replace(failed, replay=True)
        assert [deliver(world, replay) for _ in range(3)] == [["disabled"]] * 3
        assert list_statuses(world, schedule) == [("09:00", "error", 3)]

    def test_of_three_deaths_is_written_by_the_executor(self, world: World, schedule: Schedule) -> None:
        def die(_execution: Execution) -> Outcome:
            raise Killed

        for _ in range(3):
            with pytest.raises(Killed):
                deliver(world, create_fire(schedule), die)
            world.advance(minutes=4)

        assert deliver(world, create_fire(schedule)) == ["error"]
        assert deliver(world, create_fire(schedule)) == ["duplicate"]
        (dead_letter,) = world.list_sent_messages(DEAD_LETTER_QUEUE_URL)
        assert dead_letter.attributes == {"ERROR_MESSAGE": "The function that ran it died"}
        row = get_schedule(world.services, schedule.install_id, schedule.id)
        assert (row.running_occurrence, row.last_run and row.last_run.status) == (None, "error")
        assert world.runner.executions == []

    def test_of_one_that_waited_too_long_for_others_is_named_by_its_row(
        self, world: World, schedule: Schedule
    ) -> None:
        every = with_limits(world, catch_up=CatchUp.ALL, max_wait_hours=1)
        world.runner.outcome = FAILED
        deliver(every, create_fire(schedule, "2026-11-23T08:00:00Z"))
        event = FireEvent(fire=create_fire(schedule), first_sent_at=START - HOUR)
        deliver_occurrence(
            every.services, world.runner, Delivery(event=event, accepted_at=START, group=TENANT)
        )

        (letter,) = world.list_sent_messages(DEAD_LETTER_QUEUE_URL)
        (run, _) = list_history(world, schedule)
        assert (run.error, run.attempt) == ("It waited for other runs of its schedule for 1 hours", 0)
        assert run.wait_token == letter.event["waitToken"]

    def test_late_one_of_a_finished_occurrence_is_recognized(self, world: World, schedule: Schedule) -> None:
        short = with_limits(world, run_history_days=1)
        deliver(short, create_fire(schedule))
        (expires_at,) = list_expiry_times()

        assert expires_at == START + timedelta(days=31)
        world.advance(days=27)
        assert list_history(short, schedule) == []
        assert deliver(short, create_fire(schedule)) == ["duplicate"]
        assert deliver(short, replace(create_fire(schedule), replay=True)) == ["duplicate"]


class TestOutages:
    def fail_table(self, world: World, *, after: str = "") -> None:
        started = not after

        def fail(call: Call) -> None:
            nonlocal started
            if started and call.service == "dynamodb":
                raise client_error("ThrottlingException")
            started = started or call.operation == after

        world.calls.before = fail

    def test_throttled_table_is_waited_for(
        self, world: World, schedule: Schedule, queue: PlayedQueue
    ) -> None:
        self.fail_table(world)
        assert deliver(world, create_fire(schedule)) == ["unavailable"]
        queue.deliver_for(minutes=5)
        world.calls.before = None
        queue.deliver_for(minutes=5)

        assert list_statuses(world, schedule) == [("09:00", "success", 1)]
        assert queue.waiting == []

    def test_waiting_message_still_counts_after_an_outage(
        self, world: World, schedule: Schedule, queue: PlayedQueue
    ) -> None:
        world.runner.outcome = BUSY
        deliver(world, create_fire(schedule))
        self.fail_table(world)
        queue.deliver_for(minutes=5)
        world.calls.before = None
        world.runner.outcome = SUCCEEDED
        queue.deliver_for(minutes=5)

        assert list_statuses(world, schedule) == [("09:00", "success", 1)]

    def test_endless_outage_ends_in_a_dead_letter(self, world: World, schedule: Schedule) -> None:
        patient = with_limits(world, max_wait_hours=1)
        self.fail_table(patient)
        deliver(patient, create_fire(schedule))
        PlayedQueue(patient).deliver_for(hours=2)
        patient.calls.before = None

        (dead_letter,) = world.list_sent_messages(DEAD_LETTER_QUEUE_URL)
        assert parse_fire_event(dead_letter.event).fire == replace(create_fire(schedule), replay=True)

    @pytest.mark.parametrize("error", [client_error("RequestThrottled"), lost_response_error()])
    def test_message_stays_in_the_queue_while_neither_responds(
        self, world: World, schedule: Schedule, error: Exception
    ) -> None:
        def fail(_call: Call) -> None:
            raise error

        world.calls.before = fail
        with pytest.raises(Unavailable):
            deliver(world, create_fire(schedule))
        world.calls.before = None

        assert deliver(world, create_fire(schedule)) == ["success"]

    @pytest.mark.parametrize("outcome", [FAILED, BUSY])
    def test_failed_attempt_is_recorded_though_the_queue_does_not_respond(
        self, world: World, schedule: Schedule, outcome: Outcome
    ) -> None:
        def fail(call: Call) -> None:
            if call.service == "sqs":
                raise client_error("RequestThrottled")

        world.runner.outcome = outcome
        world.calls.before = fail
        with pytest.raises(Unavailable):
            deliver(world, create_fire(schedule))
        world.calls.before = None
        (run,) = list_history(world, schedule)
        assert (run.status, run.wait_token) == (
            RunStatus.ERROR if outcome is FAILED else RunStatus.WAITING,
            None,
        )
        world.advance(minutes=4)
        world.runner.outcome = SUCCEEDED

        assert deliver(world, create_fire(schedule)) == ["success"]

    def test_third_failure_is_dead_lettered_once_the_queue_responds(
        self, world: World, schedule: Schedule, queue: PlayedQueue
    ) -> None:
        def fail(call: Call) -> None:
            if call.service == "sqs" and call.arguments["QueueUrl"] == DEAD_LETTER_QUEUE_URL:
                raise client_error("RequestThrottled")

        world.runner.outcome = FAILED
        world.calls.before = fail
        deliver(world, create_fire(schedule))
        queue.deliver_for(minutes=10)
        world.calls.before = None
        queue.deliver_for(minutes=30)

        assert list_statuses(world, schedule) == [("09:00", "error", 3)]
        assert len(world.list_sent_messages(DEAD_LETTER_QUEUE_URL)) >= 1
        assert len(world.runner.executions) == 3


class ActingRunner(FakeRunner):
    """Delivers the occurrence once more while it runs."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self.act = act

    def __call__(self, execution: Execution) -> Outcome:
        outcome = super().__call__(execution)
        self.act()
        return outcome


def test_copies_of_a_message_do_not_multiply(world: World, schedule: Schedule, queue: PlayedQueue) -> None:
    def deliver_again() -> None:
        for _ in range(5):
            execute_fire(world.services, world.runner, create_fire(schedule))

    execute_fire(world.services, ActingRunner(deliver_again), create_fire(schedule))

    assert len(world.list_sent_messages()) == 1
    results = queue.deliver_for(hours=1)
    assert [result.reason for result in results] == [SkipReason.DUPLICATE]


def test_manual_run_without_capacity_waits_too(world: World, schedule: Schedule, queue: PlayedQueue) -> None:
    world.runner.outcome = BUSY
    send_fire = world.services.queue.send_fire
    run_now(world.services, send_fire, schedule.install_id, schedule.id, None, actor=ADMIN)
    queue.deliver_for(hours=5)
    world.runner.outcome = SUCCEEDED
    queue.deliver_for(hours=1)

    (run,) = list_history(world, schedule)
    assert isinstance(run, Run)
    assert (run.status, run.attempt, run.trigger.value) == (RunStatus.SUCCESS, 1, "manual")
    assert datetime.fromisoformat(run.scheduled_time) == START
