"""What becomes of the occurrences of a backfill: they are run once, retried, wait, and are skipped."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from scheduling.domain.deliveries.backfill import BackfillPlan, BackfillRequest, Selection
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, Run, RunStatus, Trigger, format_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call
from tests.support.oracles.audit import Audit
from tests.support.stacks.backfills import FAILED, backfill, hours, period, record_failure, statuses
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

UNAVAILABLE = Outcome(status=RunStatus.ERROR, http_status=503, error="not now", retryable=True)
SUCCESS = Outcome(status=RunStatus.SUCCESS, http_status=200)


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
