"""The owner corrects or deletes a schedule that cannot be read, also while a change of it is pending; it never runs."""

from collections import Counter

import pytest
from scheduling.domain.errors import NotRunnable, RulesViolated, ScheduleNotFound
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import RunStatus, SkipReason
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import get_install
from scheduling.operations.installs.tenants import list_tenant_schedules, set_tenant_paused
from scheduling.operations.maintenance.parts import sweep_install
from scheduling.operations.runs.run_now import run_now
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.faults.broken_rows import INSTALLS, LEFT_OUT, LISTED, BrokenRow, set_attribute
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.fires import create_fire, execute_fire, list_history
from tests.support.stacks.world import ADMIN, TENANT, World, create_input, update_input

SCHEDULES = {**LISTED, **LEFT_OUT}
CORRECTION = {"cron": "30 7 * * *", "timezone": "Europe/Berlin"}
pending = pytest.mark.parametrize("pending", [False, True], ids=["synced", "pending"])


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    return create_schedule(world.services, install_id, create_input(name="nightly", payload={"a": 1}))


def damage(world: World, schedule: Schedule, broken_row: BrokenRow, *, pending: bool) -> None:
    if pending:
        world.services.schedules.replace_schedule(schedule, schedule.marked_pending(world.clock[0]))
    broken_row.damage_schedule(schedule)


@pending
@pytest.mark.parametrize("broken_row", SCHEDULES.values(), ids=SCHEDULES)
def test_a_damaged_schedule_is_deleted_with_its_timer(
    world: World, schedule: Schedule, broken_row: BrokenRow, pending: bool
) -> None:
    damage(world, schedule, broken_row, pending=pending)

    delete_schedule(world.services, schedule.install_id, schedule.id)

    assert world.scan_rows_of_type(schedule.install_id, "schedule") == []
    assert world.read_timers() == {}


@pending
@pytest.mark.parametrize("broken_row", LISTED.values(), ids=LISTED)
def test_a_damaged_schedule_is_corrected_with_its_timer(
    world: World, schedule: Schedule, broken_row: BrokenRow, pending: bool
) -> None:
    damage(world, schedule, broken_row, pending=pending)

    update_schedule(world.services, schedule.install_id, schedule.id, update_input(**CORRECTION))

    corrected = get_schedule(world.services, schedule.install_id, schedule.id)
    assert corrected.unreadable is None
    assert (corrected.definition.cron, corrected.definition.timezone) == ("30 7 * * *", "Europe/Berlin")
    assert corrected.definition.payload == '{"a":1}'
    assert world.read_timers()[schedule.id]["ScheduleExpression"] == "cron(30 7 * * ? *)"
    if broken_row.attribute not in ("name", "tenantId"):
        assert_consistent(world)


def test_the_last_run_is_kept_by_a_correction(world: World, schedule: Schedule) -> None:
    execute_fire(world.services, world.runner, create_fire(schedule))
    LISTED["dropped zone"].damage_schedule(schedule)

    update_schedule(world.services, schedule.install_id, schedule.id, update_input(timezone="UTC"))

    last_run = get_schedule(world.services, schedule.install_id, schedule.id).last_run
    assert last_run is not None
    assert last_run.status == "success"


@pytest.mark.parametrize(
    ("broken_row", "fields", "errors"),
    [
        (LISTED["dropped zone"], {"name": "other"}, {"timezone": "Invalid timezone"}),
        (LISTED["dropped zone"], {"enabled": False}, {"timezone": "Invalid timezone"}),
        (LISTED["dropped zone"], {"cron": "0 0 29 2 *"}, {"timezone": "Invalid timezone"}),
        (LISTED["refused rule"], {"name": "other"}, {"cron": LISTED["refused rule"].reason}),
        (LISTED["refused rule"], {"timezone": "Asia/Tokyo"}, {"cron": LISTED["refused rule"].reason}),
    ],
    ids=["zone: name", "zone: enabled", "zone: rare rule", "rule: name", "rule: zone"],
)
def test_an_update_that_corrects_nothing_names_the_field_to_correct(
    world: World, schedule: Schedule, broken_row: BrokenRow, fields: dict[str, object], errors: dict[str, str]
) -> None:
    broken_row.damage_schedule(schedule)

    with pytest.raises(RulesViolated) as refusal:
        update_schedule(world.services, schedule.install_id, schedule.id, update_input(**fields))

    assert refusal.value.field_errors == errors


@pytest.mark.parametrize("broken_row", LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_schedule_that_no_list_has_is_not_found(
    world: World, schedule: Schedule, broken_row: BrokenRow
) -> None:
    broken_row.damage_schedule(schedule)

    with pytest.raises(ScheduleNotFound):
        get_schedule(world.services, schedule.install_id, schedule.id)
    with pytest.raises(ScheduleNotFound):
        update_schedule(world.services, schedule.install_id, schedule.id, update_input(**CORRECTION))


@pytest.mark.parametrize("broken_row", SCHEDULES.values(), ids=SCHEDULES)
def test_a_fire_of_a_damaged_schedule_is_skipped_with_the_reason(
    world: World, schedule: Schedule, broken_row: BrokenRow
) -> None:
    broken_row.damage_schedule(schedule)

    result = execute_fire(world.services, world.runner, create_fire(schedule))

    page = world.services.runs.read_run_page(schedule.install_id, schedule.id, before=None, limit=5)
    assert result is SkipReason.UNREADABLE
    assert world.runner.executions == []
    assert [(run.status, run.error) for run in page.runs] == [
        (RunStatus.SKIPPED, f"The schedule cannot be read: {broken_row.reason}")
    ]


@pytest.mark.parametrize("broken_row", INSTALLS.values(), ids=INSTALLS)
def test_a_fire_of_a_damaged_install_is_skipped_with_the_reason(
    world: World, schedule: Schedule, broken_row: BrokenRow
) -> None:
    broken_row.damage_install(schedule.install_id)

    assert execute_fire(world.services, world.runner, create_fire(schedule)) is SkipReason.UNREADABLE

    assert world.runner.executions == []
    page = world.services.runs.read_run_page(schedule.install_id, schedule.id, before=None, limit=5)
    assert [run.error for run in page.runs] == [f"The install cannot be read: {broken_row.reason}"]


def test_an_occurrence_whose_run_cannot_be_read_is_not_run_again(world: World, schedule: Schedule) -> None:
    fire = create_fire(schedule)
    execute_fire(world.services, world.runner, fire)
    pk = f"INSTALL#{schedule.install_id}#SCHEDULE#{schedule.id}"
    set_attribute(pk, f"RUN#{fire.scheduled_time}", "status", {"S": "unknown"})

    assert execute_fire(world.services, world.runner, fire) is SkipReason.DUPLICATE
    assert len(world.runner.executions) == 1


def test_the_occurrence_after_a_correction_runs(world: World, schedule: Schedule) -> None:
    LISTED["dropped zone"].damage_schedule(schedule)
    corrected = update_schedule(
        world.services, schedule.install_id, schedule.id, update_input(timezone="UTC")
    )

    execute_fire(world.services, world.runner, create_fire(corrected))

    assert [run.status for run in list_history(world, corrected)] == [RunStatus.SUCCESS]


def test_a_damaged_schedule_cannot_be_run_now(world: World, schedule: Schedule) -> None:
    LISTED["dropped zone"].damage_schedule(schedule)

    with pytest.raises(NotRunnable, match="The schedule cannot be read: Invalid timezone"):
        run_now(world.services, lambda *_: None, schedule.install_id, schedule.id, None, actor=ADMIN)


def test_an_install_that_is_another_tenants_now_is_paused_with_that_one_alone(
    world: World, install_id: InstallId
) -> None:
    """A damaged install may be registered for another tenant, and is still in the partition of the first one."""
    set_attribute(f"INSTALL#{install_id}", "INSTALL", "tenantId", None)
    world.register_install(install_id, tenantId="tenant-2")

    assert set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN).complete
    assert not get_install(world.services, install_id)[0].paused

    set_tenant_paused(world.services, "tenant-2", paused=True, actor=ADMIN)

    assert get_install(world.services, install_id)[0].paused


@pytest.mark.parametrize("tenant", [None, {"S": "tenant-2"}], ids=["lost", "another's"])
def test_the_sweep_lists_a_schedule_under_the_tenant_of_its_install(
    world: World, schedule: Schedule, tenant: dict[str, str] | None
) -> None:
    set_attribute(f"INSTALL#{schedule.install_id}", f"SCHEDULE#{schedule.id}", "tenantId", tenant)
    repairs: Counter[str] = Counter()

    sweep_install(world.services, schedule.install_id, repairs)
    sweep_install(world.services, schedule.install_id, repairs)

    page = list_tenant_schedules(world.services, TENANT, limit=50, max_bytes=1000)
    assert [each.id for _, each in page.schedules] == [schedule.id]
    assert repairs == {"tenant": 1}
