"""Run now: a manual occurrence, accepted once for each key, as often as an install may write."""

from dataclasses import replace

import pytest
from botocore.session import Session
from scheduling.api.triggers import parse_fire
from scheduling.clients.lambda_ import ExecutorClient
from scheduling.domain.errors import (
    CapabilityDenied,
    InstallNotFound,
    NotRunnable,
    RateLimited,
    ScheduleNotFound,
    Unavailable,
)
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Fire, Run, RunStatus, SkipReason, Trigger
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.runs.execute import execute_fire
from scheduling.operations.runs.run_now import run_now
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule, list_runs
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws_calls import Call, lost, refused
from tests.support.world import ADMIN, SETTINGS, TENANT, World, changed, next_fire_of, on_both, wanted

pytestmark = on_both


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    return create_schedule(world.services, install_id, wanted())


def start(world: World, schedule: Schedule, key: str | None = None) -> Fire:
    executor = ExecutorClient(Session(), SETTINGS.timer_target_arn)
    return run_now(world.services, executor.deliver_fire, schedule.install_id, schedule.id, key)


def run_all(world: World) -> list[Run | SkipReason]:
    return [execute_fire(world.services, world.runner, parse_fire(event)) for event in world.handed_over()]


def test_it_is_handed_over_and_run_and_in_the_history_as_manual(world: World, schedule: Schedule) -> None:
    world.advance(milliseconds=123)
    fire = start(world, schedule)

    assert world.handed_over() == [
        {
            "installId": schedule.install_id,
            "scheduleId": schedule.id,
            "revision": 1,
            "scheduledTime": "2026-11-23T09:00:00.123Z",
            "trigger": "manual",
        }
    ]
    run_all(world)
    assert world.runner.fires == [fire]
    (run,) = list_runs(world.services, schedule.install_id, schedule.id, limit=50).runs
    assert (run.trigger, run.status) == (Trigger.MANUAL, RunStatus.SUCCESS)
    last = get_schedule(world.services, schedule.install_id, schedule.id).last_run
    assert last is not None
    assert last.status == "success"


def test_it_takes_three_calls(world: World, schedule: Schedule) -> None:
    world.calls.made.clear()
    start(world, schedule, "key")

    assert world.calls.operations() == ["BatchGetItem", "TransactWriteItems", "Invoke"]


def test_a_key_makes_one_occurrence_for_a_day(world: World, schedule: Schedule) -> None:
    first = start(world, schedule, "key")
    world.advance(hours=23)
    assert start(world, schedule, "key") == first
    assert [type(result) for result in run_all(world)] == [Run, SkipReason]

    world.advance(hours=2)
    assert start(world, schedule, "key") != first


def test_a_key_is_of_its_schedule_alone(world: World, schedule: Schedule) -> None:
    other = create_schedule(world.services, schedule.install_id, wanted())

    assert start(world, schedule, "key").schedule_id == schedule.id
    assert start(world, other, "key").schedule_id == other.id


def test_no_sixty_seconds_see_more_than_the_limit(world: World, schedule: Schedule) -> None:
    limited = replace(
        world, services=replace(world.services, limits=replace(world.services.limits, writes_per_minute=3))
    )
    for _ in range(3):
        start(limited, schedule)
        world.advance(seconds=10)

    with pytest.raises(RateLimited) as refusal:
        start(limited, schedule)
    assert refusal.value.retry_after == 30
    world.advance(seconds=30)
    start(limited, schedule)
    with pytest.raises(RateLimited):
        start(limited, schedule)
    assert len(world.handed_over()) == 4


def test_a_scheduled_occurrence_of_the_same_moment_is_another_one(world: World, schedule: Schedule) -> None:
    scheduled = next_fire_of(world, schedule)
    manual = start(world, schedule)

    assert manual.scheduled_time.removesuffix(".000Z") == scheduled.scheduled_time.removesuffix("Z")
    assert isinstance(execute_fire(world.services, world.runner, scheduled), Run)
    assert [type(result) for result in run_all(world)] == [Run]


def test_a_changed_timer_does_not_make_it_stale(world: World, schedule: Schedule) -> None:
    start(world, schedule)
    update_schedule(world.services, schedule.install_id, schedule.id, changed(cron="7 * * * *"))

    assert [type(result) for result in run_all(world)] == [Run]


def test_what_was_disabled_meanwhile_is_shown_as_skipped(world: World, schedule: Schedule) -> None:
    start(world, schedule)
    update_schedule(world.services, schedule.install_id, schedule.id, changed(enabled=False))

    assert run_all(world) == [SkipReason.DISABLED]
    (run,) = list_runs(world.services, schedule.install_id, schedule.id, limit=50).runs
    assert (run.status, run.trigger) == (RunStatus.SKIPPED, Trigger.MANUAL)
    assert run.error == "The schedule was disabled, its install, or its tenant paused"


def test_the_history_is_paged_over_manual_runs(world: World, schedule: Schedule) -> None:
    for _ in range(3):
        start(world, schedule)
        world.advance(milliseconds=500)
    run_all(world)

    first = list_runs(world.services, schedule.install_id, schedule.id, limit=2)
    rest = list_runs(world.services, schedule.install_id, schedule.id, before=first.next_before, limit=2)

    assert [run.scheduled_time[-5:] for run in (*first.runs, *rest.runs)] == [".000Z", ".500Z", ".000Z"]


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
def test_what_would_not_be_run_is_refused(
    world: World, schedule: Schedule, before: str, error: type[Exception], text: str
) -> None:
    services, install_id = world.services, schedule.install_id
    match before:
        case "disable install":
            set_install_enabled(services, install_id, enabled=False, actor=ADMIN)
        case "pause":
            set_tenant_paused(services, TENANT, paused=True, actor=ADMIN)
        case "disable":
            update_schedule(services, install_id, schedule.id, changed(enabled=False))
        case "revoke":
            world.register(install_id, grantedCapabilities=[])
        case "delete":
            delete_schedule(services, install_id, schedule.id)

    with pytest.raises(error, match=text):
        start(world, schedule)
    assert world.handed_over() == []


def test_another_installs_schedule_is_not_found(world: World, schedule: Schedule) -> None:
    stranger = world.register()

    with pytest.raises(ScheduleNotFound):
        start(world, replace(schedule, install_id=stranger))
    with pytest.raises(InstallNotFound):
        start(world, replace(schedule, install_id=InstallId("nobody")))


@pytest.mark.parametrize("error", [lost(), refused("TooManyRequestsException")], ids=["lost", "throttled"])
def test_where_lambda_does_not_answer_the_same_key_makes_sure(
    world: World, schedule: Schedule, error: Exception
) -> None:
    def fail(call: Call) -> None:
        if call.operation == "Invoke":
            raise error

    world.calls.before = fail
    with pytest.raises(Unavailable, match="it may still start"):
        start(world, schedule, "key")
    world.calls.before = None

    start(world, schedule, "key")

    assert [type(result) for result in run_all(world)] == [Run]
