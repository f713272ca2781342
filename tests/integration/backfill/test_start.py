"""Backfills: which occurrences run again, and which backfills are refused."""

from dataclasses import replace
from datetime import timedelta

import pytest
from scheduling.domain.deliveries.backfill import BackfillPlan, BackfillRequest, Selection
from scheduling.domain.errors import (
    CapabilityDenied,
    InstallNotFound,
    NotRunnable,
    ScheduleNotFound,
    ValidationFailed,
)
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Run, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.stacks.backfills import backfill, hours, period, record_failure, statuses
from tests.support.stacks.fires import PlayedQueue, list_history
from tests.support.stacks.world import (
    ADMIN,
    START,
    TENANT,
    World,
    on_moto_and_memory,
    update_input,
)


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
