"""A schedule that cannot be read is in the lists with the reason, and stops none of the others."""

import logging

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.domain.views import schedule_fields
from scheduling.operations.installs.tenants import list_tenant_schedules
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule, list_runs, list_schedules

from tests.support.faults.broken_rows import INSTALLS, LEFT_OUT, LISTED, BrokenRow, set_attribute
from tests.support.stacks.fires import create_fire, execute_fire
from tests.support.stacks.world import TENANT, World, create_input

REQUIRED_FIELDS = ("id", "endpointPath", "endpointMethod", "cron", "timezone", "enabled")


@pytest.fixture
def schedules(world: World, install_id: InstallId) -> list[Schedule]:
    return [create_schedule(world.services, install_id, create_input(name=f"n{n}")) for n in range(3)]


@pytest.mark.parametrize("broken_row", LISTED.values(), ids=LISTED)
def test_a_damaged_schedule_is_listed_as_stored_with_the_reason(
    world: World, install_id: InstallId, schedules: list[Schedule], broken_row: BrokenRow
) -> None:
    broken_row.damage_schedule(schedules[1])

    listed = [schedule_fields(each) for each in list_schedules(world.services, install_id).schedules]
    got = schedule_fields(get_schedule(world.services, install_id, schedules[1].id))

    assert [fields["id"] for fields in listed] == [schedule.id for schedule in schedules]
    assert [fields.get("unreadable") for fields in listed] == [None, broken_row.reason, None]
    assert got == listed[1]
    stored = {**schedule_fields(schedules[1])}
    if broken_row.attribute in stored:
        stored[broken_row.attribute] = (broken_row.value or {}).get("S")
    assert [got[name] for name in REQUIRED_FIELDS] == [stored[name] for name in REQUIRED_FIELDS]


@pytest.mark.parametrize("broken_row", LEFT_OUT.values(), ids=LEFT_OUT)
def test_only_a_schedule_without_a_required_field_is_left_out_and_reported(
    world: World,
    install_id: InstallId,
    schedules: list[Schedule],
    broken_row: BrokenRow,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken_row.damage_schedule(schedules[1])
    caplog.set_level(logging.WARNING)

    page = list_schedules(world.services, install_id, limit=2)

    assert [each.id for each in page.schedules] == [schedules[0].id, schedules[2].id]
    assert caplog.messages == [
        f"schedule {schedules[1].id} of install {install_id} cannot be used: {broken_row.reason}"
    ]


@pytest.mark.parametrize(
    "broken_row", [LISTED["dropped zone"], LEFT_OUT["no rule"]], ids=["listed", "left out"]
)
def test_the_tenants_view_has_all_other_schedules(
    world: World, schedules: list[Schedule], broken_row: BrokenRow
) -> None:
    other = create_schedule(world.services, world.register_install(), create_input())
    broken_row.damage_schedule(schedules[0])

    page = list_tenant_schedules(world.services, TENANT, limit=50, max_bytes=1_000_000)

    listed = {schedule.id for _, schedule in page.schedules if not schedule.unreadable}
    assert listed == {other.id, schedules[1].id, schedules[2].id}
    assert len(page.left_out) == (broken_row is LEFT_OUT["no rule"])


@pytest.mark.parametrize("broken_row", INSTALLS.values(), ids=INSTALLS)
def test_the_tenants_view_goes_on_past_a_damaged_install(
    world: World, install_id: InstallId, schedules: list[Schedule], broken_row: BrokenRow
) -> None:
    del schedules
    other = create_schedule(world.services, world.register_install(), create_input())
    broken_row.damage_install(install_id)

    page = list_tenant_schedules(world.services, TENANT, limit=50, max_bytes=1_000_000)

    assert other.id in {schedule.id for _, schedule in page.schedules}
    assert {install.unreadable for install, _ in page.schedules} == {None, broken_row.reason}


def test_the_history_leaves_out_a_run_that_cannot_be_read(
    world: World, install_id: InstallId, caplog: pytest.LogCaptureFixture
) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    times = [f"2026-11-23T{hour:02}:00:00Z" for hour in (10, 11, 12)]
    for time in times:
        execute_fire(world.services, world.runner, create_fire(schedule, time))
    set_attribute(
        f"INSTALL#{install_id}#SCHEDULE#{schedule.id}", f"RUN#{times[1]}", "status", {"S": "paused"}
    )

    pages = []
    before = None
    while True:
        page = list_runs(world.services, install_id, schedule.id, before=before, limit=1)
        pages.append([run.scheduled_time for run in page.runs])
        before = page.next_before
        if before is None:
            break

    assert pages == [[times[2]], [], [times[0]]]
    assert f"run {times[1]} of schedule {schedule.id} cannot be used: status is malformed" in caplog.text
