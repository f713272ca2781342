"""Run now: a manual occurrence, created once for each key, and as often as an install may write."""

from dataclasses import replace

import pytest
from scheduling.domain.errors import (
    CapabilityDenied,
    InstallNotFound,
    NotRunnable,
    RateLimited,
    ScheduleNotFound,
    Unavailable,
)
from scheduling.domain.fire_events import parse_fire_event
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Fire, Run, RunStatus, SkipReason, Trigger
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.runs.run_now import run_now
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule, list_runs
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, client_error, lost_response_error
from tests.support.stacks.fires import execute_fire, next_hourly_fire
from tests.support.stacks.world import (
    ADMIN,
    TABLE,
    TENANT,
    World,
    aws_client,
    create_input,
    on_moto_and_memory,
    update_input,
)

pytestmark = on_moto_and_memory


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    return create_schedule(world.services, install_id, create_input())


def trigger_run(world: World, schedule: Schedule, key: str | None = None) -> Fire:
    queue = world.services.queue
    return run_now(world.services, queue.send_fire, schedule.install_id, schedule.id, key, actor=ADMIN)


def deliver_events(world: World) -> list[Run | SkipReason]:
    return [
        execute_fire(world.services, world.runner, parse_fire_event(event).fire)
        for event in world.list_executor_events()
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 50])
def test_the_history_is_by_time_within_a_second_too(world: World, schedule: Schedule, limit: int) -> None:
    execute_fire(world.services, world.runner, next_hourly_fire(world, schedule))
    trigger_run(world, schedule)
    world.advance(milliseconds=123)
    trigger_run(world, schedule)
    deliver_events(world)
    execute_fire(world.services, world.runner, next_hourly_fire(world, schedule))

    times: list[str] = []
    before = None
    while before or not times:
        page = list_runs(world.services, schedule.install_id, schedule.id, before=before, limit=limit)
        assert 1 <= len(page.runs) <= limit
        times += [run.scheduled_time for run in page.runs]
        before = page.next_before

    assert times == [
        "2026-11-23T11:00:00Z",
        "2026-11-23T10:00:00.123Z",
        "2026-11-23T10:00:00.000Z",
        "2026-11-23T10:00:00Z",
    ]


@pytest.mark.parametrize("count", [4, 5, 6, 9], ids=lambda count: f"{count} runs")
def test_a_page_of_the_history_is_one_query(world: World, schedule: Schedule, count: int) -> None:
    for _ in range(count):
        execute_fire(world.services, world.runner, next_hourly_fire(world, schedule))
    page = list_runs(world.services, schedule.install_id, schedule.id, limit=3)
    world.calls.recorded.clear()

    list_runs(world.services, schedule.install_id, schedule.id, before=page.next_before, limit=3)

    assert world.calls.operation_names().count("Query") == 1


def test_manual_run_is_delivered_and_recorded_as_manual(world: World, schedule: Schedule) -> None:
    world.advance(milliseconds=123)
    fire = trigger_run(world, schedule)

    assert world.list_executor_events() == [
        {
            "installId": schedule.install_id,
            "scheduleId": schedule.id,
            "revision": 1,
            "scheduledTime": "2026-11-23T09:00:00.123Z",
            "trigger": "manual",
        }
    ]
    deliver_events(world)
    assert world.runner.fires == [fire]
    (run,) = list_runs(world.services, schedule.install_id, schedule.id, limit=50).runs
    assert (run.trigger, run.status) == (Trigger.MANUAL, RunStatus.SUCCESS)
    last = get_schedule(world.services, schedule.install_id, schedule.id).last_run
    assert last is not None
    assert last.status == "success"


def test_trigger_makes_three_calls(world: World, schedule: Schedule) -> None:
    world.calls.recorded.clear()
    trigger_run(world, schedule, "key")

    assert world.calls.operation_names() == ["BatchGetItem", "TransactWriteItems", "SendMessage"]


def test_key_creates_one_occurrence_per_day(world: World, schedule: Schedule) -> None:
    first = trigger_run(world, schedule, "key")
    world.advance(hours=23)
    assert trigger_run(world, schedule, "key") == first
    assert [type(result) for result in deliver_events(world)] == [Run, SkipReason]

    world.advance(hours=2)
    assert trigger_run(world, schedule, "key") != first


def test_rows_of_a_manual_run_expire(world: World, schedule: Schedule) -> None:
    trigger_run(world, schedule, "key")
    deliver_events(world)

    rows = aws_client("dynamodb").scan(TableName=TABLE, ConsistentRead=True)["Items"]
    assert {row["type"]["S"] for row in rows if "expiresAt" in row} == {"manualRun", "manualWindow", "run"}


def test_idempotency_key_is_per_schedule(world: World, schedule: Schedule) -> None:
    other = create_schedule(world.services, schedule.install_id, create_input())

    assert trigger_run(world, schedule, "key").schedule_id == schedule.id
    assert trigger_run(world, other, "key").schedule_id == other.id


def test_no_sixty_seconds_have_more_manual_runs_than_the_limit(world: World, schedule: Schedule) -> None:
    limited = replace(
        world, services=replace(world.services, limits=replace(world.services.limits, writes_per_minute=3))
    )
    for _ in range(3):
        trigger_run(limited, schedule)
        world.advance(seconds=10)

    with pytest.raises(RateLimited) as refusal:
        trigger_run(limited, schedule)
    assert refusal.value.retry_after == 30
    world.advance(seconds=30)
    trigger_run(limited, schedule)
    with pytest.raises(RateLimited):
        trigger_run(limited, schedule)
    assert len(world.list_executor_events()) == 4


def test_manual_and_scheduled_occurrences_of_the_same_time_are_distinct(
    world: World, schedule: Schedule
) -> None:
    scheduled = next_hourly_fire(world, schedule)
    manual = trigger_run(world, schedule)

    assert manual.scheduled_time.removesuffix(".000Z") == scheduled.scheduled_time.removesuffix("Z")
    assert isinstance(execute_fire(world.services, world.runner, scheduled), Run)
    assert [type(result) for result in deliver_events(world)] == [Run]


def test_changed_timer_does_not_make_manual_run_stale(world: World, schedule: Schedule) -> None:
    trigger_run(world, schedule)
    update_schedule(world.services, schedule.install_id, schedule.id, update_input(cron="7 * * * *"))

    assert [type(result) for result in deliver_events(world)] == [Run]


def test_run_of_since_disabled_schedule_is_recorded_as_skipped(world: World, schedule: Schedule) -> None:
    trigger_run(world, schedule)
    update_schedule(world.services, schedule.install_id, schedule.id, update_input(enabled=False))

    assert deliver_events(world) == [SkipReason.DISABLED]
    (run,) = list_runs(world.services, schedule.install_id, schedule.id, limit=50).runs
    assert (run.status, run.trigger) == (RunStatus.SKIPPED, Trigger.MANUAL)
    assert run.error == "The schedule was disabled, its install, or its tenant paused"


def test_history_pages_include_manual_runs(world: World, schedule: Schedule) -> None:
    for _ in range(3):
        trigger_run(world, schedule)
        world.advance(milliseconds=500)
    deliver_events(world)

    first = list_runs(world.services, schedule.install_id, schedule.id, limit=2)
    rest = list_runs(world.services, schedule.install_id, schedule.id, before=first.next_before, limit=2)

    assert [run.scheduled_time[-5:] for run in (*first.runs, *rest.runs)] == [".000Z", ".500Z", ".000Z"]
    (query,) = [call for call in world.calls.recorded[-1:] if call.operation == "Query"]
    # The row at which the page begins, one that says whether more follow, and one of another second.
    assert query.arguments["Limit"] == 5


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
def test_trigger_of_unrunnable_schedule_is_refused(
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
        trigger_run(world, schedule)
    assert world.list_executor_events() == []


def test_foreign_schedule_is_not_found(world: World, schedule: Schedule) -> None:
    other_install = world.register_install()

    with pytest.raises(ScheduleNotFound):
        trigger_run(world, replace(schedule, install_id=other_install))
    with pytest.raises(InstallNotFound):
        trigger_run(world, replace(schedule, install_id=InstallId("nobody")))


@pytest.mark.parametrize(
    "error", [lost_response_error(), client_error("RequestThrottled")], ids=["lost", "throttled"]
)
def test_same_key_is_safe_to_retry_after_a_failed_send(
    world: World, schedule: Schedule, error: Exception
) -> None:
    def fail(call: Call) -> None:
        if call.operation == "SendMessage":
            raise error

    world.calls.before = fail
    with pytest.raises(Unavailable, match="it may still start"):
        trigger_run(world, schedule, "key")
    world.calls.before = None

    trigger_run(world, schedule, "key")

    assert [type(result) for result in deliver_events(world)] == [Run]
