"""Backfills: which occurrences run again, one backfill at a time, and what becomes of one that is interrupted."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from scheduling.domain.deliveries.backfill import BackfillPlan, BackfillRequest, Selection
from scheduling.domain.deliveries.waiting import missed_after
from scheduling.domain.errors import (
    BackfillInProgress,
    CapabilityDenied,
    InstallNotFound,
    NotRunnable,
    ScheduleNotFound,
    Unavailable,
    ValidationFailed,
)
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, Run, RunStatus, Trigger, format_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.runs.backfill import start_backfill
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, Killed, client_error
from tests.support.oracles.audit import Audit
from tests.support.stacks.fires import PlayedQueue, create_fire, execute_fire, fire_one_time, list_history
from tests.support.stacks.world import (
    ADMIN,
    START,
    TENANT,
    World,
    create_input,
    on_moto_and_memory,
    update_input,
)

in_memory = pytest.mark.parametrize("world", ["memory"], indirect=True)
FAILED = Outcome(status=RunStatus.ERROR, http_status=422, error="no")
UNAVAILABLE = Outcome(status=RunStatus.ERROR, http_status=503, error="not now", retryable=True)
SUCCESS = Outcome(status=RunStatus.SUCCESS, http_status=200)


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    return create_schedule(world.services, install_id, create_input(payload=[1]))


def hours(first: int, last: int) -> list[str]:
    """Return the scheduled times of the hours of the day on which the clock starts."""
    return [f"2026-11-23T{hour:02}:00:00Z" for hour in range(first, last + 1)]


def period(first: int, last: int, which: str = "all", *, dry_run: bool = False) -> BackfillRequest:
    moments = [datetime.fromisoformat(time) for time in (*hours(first, first), *hours(last, last))]
    return BackfillRequest(first=moments[0], last=moments[1], which=Selection(which), dry_run=dry_run)


def backfill(world: World, schedule: Schedule, request: BackfillRequest) -> BackfillPlan:
    return start_backfill(world.services, schedule.install_id, schedule.id, request, actor=ADMIN)


def record_failure(world: World, schedule: Schedule, scheduled_time: str) -> None:
    """Record that the occurrence has failed at its only attempt."""
    run = Run(scheduled_time=scheduled_time, status=RunStatus.ERROR, attempt=1, started_at=world.clock[0])
    world.services.runs.record_run(schedule, run)


def statuses(world: World, schedule: Schedule) -> list[tuple[str, str, str, int]]:
    return [
        (run.scheduled_time, run.trigger.value, run.status.value, run.attempt)
        for run in reversed(list_history(world, schedule))
    ]


@on_moto_and_memory
def test_a_backfill_runs_what_has_not_succeeded_and_names_what_has(world: World, schedule: Schedule) -> None:
    world.clock[0] = START.replace(hour=15, minute=30)
    success, failed, skipped, missed = hours(10, 13)
    ended = {success: RunStatus.SUCCESS, skipped: RunStatus.SKIPPED, missed: RunStatus.MISSED}
    for time, status in ended.items():
        run = Run(scheduled_time=time, status=status, attempt=0, started_at=world.clock[0])
        world.services.runs.record_run(schedule, run)
    record_failure(world, schedule, failed)
    world.calls.recorded.clear()

    plan = backfill(world, schedule, period(10, 15))

    assert plan == BackfillPlan(hours(11, 15), {success: "success"})
    messages = world.list_sent_messages()
    assert [message.event["scheduledTime"] for message in messages] == hours(11, 15)
    assert [message.group for message in messages] == [TENANT] * 5
    assert [message.delay for message in messages] == [0, 3, 6, 9, 12]
    assert {message.event["trigger"] for message in messages} == {"backfill"}
    assert {message.event["sentAt"] for message in messages} == {"2026-11-23T15:30:00Z"}
    assert statuses(world, schedule)[1:] == [
        (time, "backfill", "waiting", int(time == failed)) for time in hours(11, 15)
    ]

    world.runner.executions.clear()
    PlayedQueue(world).deliver_for(minutes=1)

    assert [fire.scheduled_time for fire in world.runner.fires] == hours(11, 15)
    assert statuses(world, schedule) == [
        (success, "schedule", "success", 0),
        (failed, "backfill", "success", 2),
        *((time, "backfill", "success", 1) for time in hours(12, 15)),
    ]


def test_a_dry_run_names_the_occurrences_and_writes_nothing(world: World, schedule: Schedule) -> None:
    world.advance(hours=5)
    world.calls.recorded.clear()

    plan = backfill(world, schedule, period(10, 13, dry_run=True))

    assert plan == BackfillPlan(hours(10, 13), {})
    assert world.calls.operation_names() == ["BatchGetItem", "BatchGetItem"]


def test_latest_runs_the_newest_occurrence_of_the_period(world: World, schedule: Schedule) -> None:
    world.advance(hours=5)

    assert backfill(world, schedule, period(10, 13, "latest")) == BackfillPlan(hours(13, 13), {})
    PlayedQueue(world).deliver_for(minutes=1)
    assert backfill(world, schedule, period(10, 13, "latest")) == BackfillPlan(
        [], {hours(13, 13)[0]: "success"}
    )
    assert statuses(world, schedule) == [(*hours(13, 13), "backfill", "success", 1)]


def test_a_backfill_of_nothing_leaves_no_trace(world: World, schedule: Schedule) -> None:
    world.advance(hours=5)
    world.calls.recorded.clear()
    request = replace(period(10, 10), first=START + timedelta(minutes=61), last=START + timedelta(minutes=90))

    assert backfill(world, schedule, request) == BackfillPlan([], {})
    assert set(world.calls.operation_names()) == {"BatchGetItem"}
    assert backfill(world, schedule, period(10, 10)).scheduled_times == hours(10, 10)


def test_occurrences_before_the_schedule_existed_can_be_run(world: World, schedule: Schedule) -> None:
    plan = backfill(world, schedule, period(3, 5))
    PlayedQueue(world).deliver_for(minutes=1)

    assert plan.scheduled_times == hours(3, 5)
    assert [run.status for run in list_history(world, schedule)] == [RunStatus.SUCCESS] * 3


def test_what_the_history_no_longer_knows_is_refused(world: World, schedule: Schedule) -> None:
    world.advance(days=31)

    with pytest.raises(ValidationFailed) as refusal:
        backfill(world, schedule, period(9, 10))

    text = "from must not be before 2026-11-24T09:00:00Z, from which on it is known what has succeeded"
    assert refusal.value.field_errors == {"from": text}


def test_more_than_a_hundred_occurrences_are_refused_with_their_number(
    world: World, schedule: Schedule
) -> None:
    world.advance(hours=101)
    request = BackfillRequest(first=START, last=world.clock[0], which=Selection.ALL)

    with pytest.raises(ValidationFailed, match=r"^The period has 102 occurrences \(max 100\)$"):
        backfill(world, schedule, request)
    assert (
        len(backfill(world, schedule, replace(request, first=START + timedelta(hours=2))).scheduled_times)
        == 100
    )


@pytest.mark.parametrize(
    ("before", "error", "text"),
    [
        pytest.param("disable install", NotRunnable, "The install is disabled", id="install disabled"),
        pytest.param("pause", NotRunnable, "The tenant is paused", id="tenant paused"),
        pytest.param("disable", NotRunnable, "The schedule is disabled", id="schedule disabled"),
        pytest.param(
            "revoke", CapabilityDenied, "Capability not granted: cap:scheduler.manage", id="revoked"
        ),
        pytest.param("delete", ScheduleNotFound, "Schedule not found", id="deleted"),
    ],
)
def test_a_backfill_of_an_unrunnable_schedule_is_refused(
    world: World, schedule: Schedule, before: str, error: type[Exception], text: str
) -> None:
    services, install_id = world.services, schedule.install_id
    match before:
        case "disable install":
            set_install_enabled(services, install_id, enabled=False, actor=ADMIN)
        case "pause":
            set_tenant_paused(services, TENANT, paused=True, actor=ADMIN)
        case "disable":
            update_schedule(services, install_id, schedule.id, update_input(enabled=False))
        case "revoke":
            world.register_install(install_id, grantedCapabilities=[])
        case "delete":
            delete_schedule(services, install_id, schedule.id)

    with pytest.raises(error, match=text):
        backfill(world, schedule, period(7, 8))
    assert world.list_executor_events() == []


def test_a_schedule_of_another_tenant_is_not_found(world: World, schedule: Schedule) -> None:
    other_install = world.register_install(tenantId="tenant-2")

    with pytest.raises(ScheduleNotFound):
        backfill(world, replace(schedule, install_id=other_install), period(7, 8))
    with pytest.raises(InstallNotFound):
        backfill(world, replace(schedule, install_id=InstallId("nobody")), period(7, 8))


@on_moto_and_memory
def test_a_schedule_has_one_backfill_at_a_time(world: World, schedule: Schedule) -> None:
    backfill(world, schedule, period(5, 7))
    queue = PlayedQueue(world)
    queue.deliver_for(seconds=3)

    for request in (period(5, 7), period(1, 2)):
        with pytest.raises(BackfillInProgress, match=r"in progress: 1 of 3 have not ended$"):
            backfill(world, schedule, request)
    assert backfill(world, schedule, period(5, 7, dry_run=True)).left_out == {
        **dict.fromkeys(hours(5, 6), "success"),
        hours(7, 7)[0]: "waiting",
    }

    queue.deliver_for(seconds=3)
    assert backfill(world, schedule, period(1, 2)).scheduled_times == hours(1, 2)


def test_of_two_backfills_at_once_one_is_refused(world: World, schedule: Schedule) -> None:
    results: list[object] = []

    def run_other(call: Call) -> None:
        if call.operation == "PutItem" and not results:
            world.calls.before = None
            results.append(backfill(world, schedule, period(5, 7)))

    world.calls.before = run_other
    with pytest.raises(BackfillInProgress, match="3 of 3 have not ended"):
        backfill(world, schedule, period(5, 7))

    assert results == [BackfillPlan(hours(5, 7), {})]
    assert len(world.list_executor_events()) == 3


CALLS_OF_THREE = 8
"""The writes and messages of a backfill of three occurrences: its row, each occurrence and its message, its row."""


@in_memory
@pytest.mark.parametrize("failure", [Killed(), client_error("InternalError")], ids=["killed", "failing"])
@pytest.mark.parametrize("at", range(CALLS_OF_THREE))
def test_an_interrupted_backfill_is_resumed_by_the_same_request(
    world: World, schedule: Schedule, audit: Audit, at: int, failure: BaseException
) -> None:
    audit.publish_new_events()
    calls: list[str] = []

    def interrupt(call: Call) -> None:
        if call.operation in ("PutItem", "SendMessage"):
            calls.append(call.operation)
        if len(calls) > at:
            raise failure

    world.calls.before = interrupt
    with pytest.raises((Killed, Unavailable)):
        backfill(world, schedule, period(5, 7))
    world.calls.before = None
    assert calls[-1] == [*["PutItem"], *["PutItem", "SendMessage"] * 3, "PutItem"][at]
    queue = PlayedQueue(world)
    queue.deliver_for(seconds=10)

    if at:
        with pytest.raises(BackfillInProgress, match="is being started"):
            backfill(world, schedule, period(5, 7))
        world.advance(minutes=1)
        text = (
            "A backfill of this schedule was interrupted; repeat it first, from 2026-11-23T05:00:00+00:00 "
            "to 2026-11-23T07:00:00+00:00, all"
        )
        with pytest.raises(BackfillInProgress) as refusal:
            backfill(world, schedule, period(4, 7))
        assert str(refusal.value) == text
    plan = backfill(world, schedule, period(5, 7))
    queue.deliver_for(minutes=1)

    assert sorted([*plan.scheduled_times, *plan.left_out]) == hours(5, 7)
    assert sorted(fire.scheduled_time for fire in world.runner.fires) == hours(5, 7)
    assert {run.status for run in list_history(world, schedule)} == {RunStatus.SUCCESS}
    assert audit.publish_new_event_names() == ["BackfillRequested by admin"]
    assert backfill(world, schedule, period(3, 4)).scheduled_times == hours(3, 4)


def test_of_two_that_resume_a_backfill_at_once_one_is_refused(world: World, schedule: Schedule) -> None:
    world.calls.before = interrupt_at("SendMessage")
    with pytest.raises(Killed):
        backfill(world, schedule, period(5, 7))
    world.calls.before = None
    world.advance(minutes=1)
    results: list[BackfillPlan] = []

    def resume_first(call: Call) -> None:
        if call.operation == "PutItem":
            world.calls.before = None
            results.append(backfill(world, schedule, period(5, 7)))

    world.calls.before = resume_first
    with pytest.raises(BackfillInProgress):
        backfill(world, schedule, period(5, 7))

    assert results == [BackfillPlan(hours(5, 7), {})]
    assert len(world.list_executor_events()) == 3


def interrupt_at(operation: str) -> Callable[[Call], None]:
    """Return what kills the function at its first call of the operation."""

    def interrupt(call: Call) -> None:
        if call.operation == operation:
            raise Killed

    return interrupt


@in_memory
@pytest.mark.parametrize("number", range(5))
def test_a_write_that_its_client_repeats_after_a_lost_response_is_recognized(
    world: World, schedule: Schedule, number: int
) -> None:
    puts: list[Call] = []

    def refuse_repetition(call: Call) -> None:
        if call.operation == "PutItem":
            puts.append(call)
            if len(puts) == number + 1:
                raise client_error("ConditionalCheckFailedException")

    world.calls.after = refuse_repetition
    plan = backfill(world, schedule, period(5, 7))
    world.calls.after = None
    PlayedQueue(world).deliver_for(minutes=1)

    assert plan == BackfillPlan(hours(5, 7), {})
    assert [fire.scheduled_time for fire in world.runner.fires] == hours(5, 7)
    assert backfill(world, schedule, period(5, 7)).scheduled_times == []


def test_a_resumed_backfill_does_not_repeat_what_has_failed_again(world: World, schedule: Schedule) -> None:
    world.runner.outcome = FAILED
    record_failure(world, schedule, *hours(6, 6))
    world.calls.before = _killer("SendMessage", after=2)
    with suppress(Killed):
        backfill(world, schedule, period(5, 7))
    world.calls.before = None
    queue = PlayedQueue(world)
    queue.deliver_for(minutes=1)
    assert statuses(world, schedule) == [
        (*hours(5, 5), "backfill", "error", 1),
        (*hours(6, 6), "backfill", "error", 2),
        (*hours(7, 7), "backfill", "waiting", 0),
    ]

    plan = backfill(world, schedule, period(5, 7))

    assert plan == BackfillPlan(hours(7, 7), dict.fromkeys(hours(5, 6), "error"))


def _killer(operation: str, after: int) -> Callable[[Call], None]:
    count = [0]

    def kill(call: Call) -> None:
        count[0] += call.operation == operation
        if count[0] > after:
            raise Killed

    return kill


def test_a_backfill_that_is_never_finished_blocks_no_other_for_good(world: World, schedule: Schedule) -> None:
    backfill(world, schedule, period(5, 7))  # its messages are lost
    world.clock[0] += missed_after(world.services.limits) + timedelta(seconds=7)

    assert backfill(world, schedule, period(5, 8)).scheduled_times == hours(5, 8)


def test_a_message_that_comes_twice_runs_once(world: World, schedule: Schedule) -> None:
    world.runner.outcome = FAILED
    record_failure(world, schedule, *hours(6, 6))
    backfill(world, schedule, period(6, 7))
    queue = PlayedQueue(world)
    queue.collect_messages()
    queue.waiting *= 2

    queue.deliver_for(minutes=5)

    assert statuses(world, schedule) == [
        (*hours(6, 6), "backfill", "error", 2),
        (*hours(7, 7), "backfill", "error", 1),
    ]
    assert len(world.runner.fires) == 2


def test_the_delivery_of_the_timer_does_not_run_what_a_backfill_has_taken_over(
    world: World, schedule: Schedule
) -> None:
    world.clock[0] = START.replace(hour=10, minute=1)
    backfill(world, schedule, period(10, 10))
    execute_fire(world.services, world.runner, create_fire(schedule, *hours(10, 10)))
    PlayedQueue(world).deliver_for(minutes=1)

    assert statuses(world, schedule) == [(*hours(10, 10), "backfill", "success", 1)]
    assert len(world.runner.fires) == 1


def test_an_occurrence_that_is_delivered_meanwhile_is_left_out(world: World, schedule: Schedule) -> None:
    def deliver_first(call: Call) -> None:
        if call.operation == "PutItem" and "RUN#" in str(call.arguments):
            world.calls.before = None
            execute_fire(world.services, world.runner, create_fire(schedule, *hours(9, 9)))

    world.calls.before = deliver_first
    plan = backfill(world, schedule, period(9, 9))

    assert plan == BackfillPlan([], {hours(9, 9)[0]: "success"})


def test_the_attempts_of_a_backfill_are_retried_then_dead_lettered(world: World, schedule: Schedule) -> None:
    world.runner.outcome = UNAVAILABLE
    backfill(world, schedule, period(6, 6))
    queue = PlayedQueue(world)
    queue.deliver_for(hours=1)
    assert statuses(world, schedule) == [(*hours(6, 6), "backfill", "error", 3)]

    backfill(world, schedule, period(6, 6))
    queue.deliver_for(hours=1)

    assert statuses(world, schedule) == [(*hours(6, 6), "backfill", "error", 4)]
    (first, second) = world.list_sent_messages(
        "https://sqs.eu-central-1.amazonaws.com/123456789012/dead-letters"
    )
    assert {first.event["trigger"], second.event["trigger"]} == {"backfill"}
    assert [execution.idempotency_key.rpartition("Z")[2] for execution in world.runner.executions] == [
        "",
        ":2",
        ":3",
        ":4",
    ]


def test_an_occurrence_of_a_backfill_waits_for_a_run_and_is_never_superseded(
    world: World, schedule: Schedule
) -> None:
    world.clock[0] = START.replace(hour=12, minute=1)
    running = create_fire(schedule, *hours(12, 12))
    snapshot = world.services.runs.read_fire_snapshot(running)
    claimed = Run(
        scheduled_time=running.scheduled_time,
        status=RunStatus.RUNNING,
        attempt=1,
        started_at=world.clock[0],
        lease_expires_at=world.clock[0] + timedelta(seconds=50),
    )
    world.services.runs.claim_run(running, snapshot, claimed)
    backfill(world, schedule, period(10, 12))
    queue = PlayedQueue(world)
    queue.deliver_for(seconds=20)
    assert [status for _, _, status, _ in statuses(world, schedule)] == ["waiting", "waiting", "running"]

    queue.deliver_for(minutes=5)

    assert statuses(world, schedule)[:2] == [(time, "backfill", "success", 1) for time in hours(10, 11)]


def test_a_changed_rule_skips_what_it_no_longer_has(world: World, schedule: Schedule) -> None:
    backfill(world, schedule, period(6, 7))
    update_schedule(world.services, schedule.install_id, schedule.id, update_input(cron="0 7 * * *"))
    PlayedQueue(world).deliver_for(minutes=1)

    assert [status for _, _, status, _ in statuses(world, schedule)] == ["skipped", "success"]


@pytest.mark.parametrize("outcome", [SUCCESS, FAILED], ids=["success", "failure"])
def test_a_backfill_completes_a_one_time_schedule_and_runs_a_completed_one(
    world: World, install_id: InstallId, outcome: Outcome
) -> None:
    schedule = create_schedule(world.services, install_id, create_input(cron="at(2026-11-23T10:00)"))
    fire_one_time(world, schedule)  # its message is lost
    world.advance(minutes=5)
    queue = PlayedQueue(world)
    world.runner.outcome = outcome
    backfill(world, schedule, period(9, 10))
    queue.deliver_for(minutes=1)
    assert get_schedule(world.services, install_id, schedule.id).completed

    plan = backfill(world, schedule, period(9, 10))
    queue.deliver_for(minutes=1)

    assert plan.scheduled_times == ([] if outcome is SUCCESS else hours(10, 10))
    assert len(world.runner.fires) == (1 if outcome is SUCCESS else 2)


def test_local_times_that_do_not_exist_or_repeat(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(
        world.services, install_id, create_input(cron="30 2 * * *", timezone="Europe/Berlin")
    )
    first = datetime.fromisoformat("2026-10-23T22:00:00Z")
    request = BackfillRequest(first=first, last=first + timedelta(days=3), which=Selection.ALL, dry_run=True)
    assert backfill(world, schedule, request).scheduled_times == [
        "2026-10-24T00:30:00Z",
        "2026-10-25T00:30:00Z",
        "2026-10-26T01:30:00Z",
    ]

    first = datetime.fromisoformat("2026-03-27T22:00:00Z")
    request = replace(request, first=first, last=first + timedelta(days=3))
    assert backfill(world, schedule, request).scheduled_times == [
        "2026-03-28T01:30:00Z",
        "2026-03-30T00:30:00Z",
    ]


@on_moto_and_memory
def test_the_event_of_a_backfill_names_who_asked_for_what(
    world: World, audit: Audit, schedule: Schedule
) -> None:
    audit.publish_new_events()
    backfill(world, schedule, period(5, 7))

    (event,) = audit.publish_new_events()
    assert str(event) == "BackfillRequested by admin"
    assert event.detail["actor"] == {"kind": "admin", "principal": ADMIN.partition(":")[2]}
    assert event.detail["after"] == {
        "from": "2026-11-23T05:00:00.000Z",
        "to": "2026-11-23T07:00:00.000Z",
        "which": "all",
        "count": 3,
    }
    assert (event.detail["tenantId"], event.detail["scheduleId"]) == (TENANT, schedule.id)


def test_a_failed_occurrence_counts_once_as_a_failure(world: World, schedule: Schedule) -> None:
    world.runner.outcome = FAILED
    execute_fire(world.services, world.runner, create_fire(schedule, format_time(START)))
    backfill(world, schedule, period(8, 9))
    PlayedQueue(world).deliver_for(minutes=1)

    shown = get_schedule(world.services, schedule.install_id, schedule.id)
    assert [run.trigger for run in list_history(world, schedule)] == [Trigger.BACKFILL] * 2
    assert shown.consecutive_failures == 2
