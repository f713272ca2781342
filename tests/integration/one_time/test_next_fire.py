"""`nextFireAt` and `notFiringReason` (contract, section 1): kept with the row, and found anew where it has passed."""

from collections.abc import Callable
from unittest.mock import patch

import pytest
from scheduling.domain import views
from scheduling.domain.deliveries import firing
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import list_tenant_schedules, set_tenant_paused
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule, list_schedules
from scheduling.operations.schedules.update import update_schedule

from tests.support.stacks.fires import create_fire, execute_fire, fire_one_time, next_hourly_fire
from tests.support.stacks.world import (
    ADMIN,
    TENANT,
    World,
    create_input,
    on_moto_and_memory,
    once_on_moto,
    update_input,
)

pytestmark = on_moto_and_memory
NextFire = tuple[object, object]


def shown(schedule: Schedule) -> NextFire:
    fields = views.schedule_fields(schedule)
    return fields["nextFireAt"], fields.get("notFiringReason")


def read(world: World, schedule: Schedule) -> NextFire:
    """Return what get and list show, which is the same."""
    got = shown(get_schedule(world.services, schedule.install_id, schedule.id))
    listed = {each.id: each for each in list_schedules(world.services, schedule.install_id).schedules}
    assert shown(listed[schedule.id]) == got
    return got


def read_as_tenant(world: World, schedule: Schedule) -> NextFire:
    page = list_tenant_schedules(world.services, TENANT, limit=50, max_bytes=10**6)
    return next(shown(each) for _, each in page.schedules if each.id == schedule.id)


@once_on_moto
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"cron": "0 * * * *"}, ("2026-11-23T10:00:00Z", None)),
        ({"cron": "0 9 * * *"}, ("2026-11-24T09:00:00Z", None)),
        ({"cron": "0 9 * * 1-5", "timezone": "Europe/Berlin"}, ("2026-11-24T08:00:00Z", None)),
        ({"cron": "0 0 29 2 *"}, ("2028-02-29T00:00:00Z", None)),
        ({"cron": "at(2026-11-23T10:00:30)"}, ("2026-11-23T10:00:30Z", None)),
        ({"cron": "0 * * * *", "enabled": False}, (None, "disabled")),
    ],
)
def test_a_create_keeps_it(
    world: World, install_id: InstallId, fields: dict[str, object], expected: NextFire
) -> None:
    schedule = create_schedule(world.services, install_id, create_input(**fields))
    assert shown(schedule) == expected
    assert read(world, schedule) == expected
    assert read_as_tenant(world, schedule) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"cron": "30 9 * * *"}, ("2026-11-23T09:30:00Z", None)),
        ({"timezone": "Asia/Kathmandu"}, ("2026-11-23T09:15:00Z", None)),
        ({"enabled": False}, (None, "disabled")),
        ({"name": "other"}, ("2026-11-23T10:00:00Z", None)),
    ],
)
def test_an_update_changes_it(
    world: World, install_id: InstallId, fields: dict[str, object], expected: NextFire
) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    updated = update_schedule(world.services, install_id, schedule.id, update_input(**fields))
    assert shown(updated) == expected
    assert read(world, schedule) == expected


def test_a_fire_moves_it_in_the_row(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    execute_fire(world.services, world.runner, next_hourly_fire(world, schedule))

    (row,) = world.scan_rows_of_type(install_id, "schedule")
    assert row["nextFire"] == "2026-11-23T11:00:00Z"
    with patch.object(firing, "find_next_fire", side_effect=AssertionError("the list computes it")):
        assert read(world, schedule) == ("2026-11-23T11:00:00Z", None)


def test_where_it_has_passed_it_is_found_anew(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    world.advance(hours=5, minutes=10)
    assert read(world, schedule) == ("2026-11-23T15:00:00Z", None)


def test_at_its_very_time_the_next_one_is_shown(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    world.advance(hours=1)
    assert read(world, schedule) == ("2026-11-23T11:00:00Z", None)


def test_a_row_of_an_earlier_release_has_it_found(world: World, install_id: InstallId) -> None:
    with patch("scheduling.operations.schedules.create.find_next_fire", return_value=None):
        schedule = create_schedule(world.services, install_id, create_input())
    assert read(world, schedule) == ("2026-11-23T10:00:00Z", None)


def pause(world: World, _install_id: InstallId) -> None:
    set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)


def disable(world: World, install_id: InstallId) -> None:
    set_install_enabled(world.services, install_id, enabled=False, actor=ADMIN)


def revoke(world: World, install_id: InstallId) -> None:
    world.register_install(install_id, grantedCapabilities=[])


@pytest.mark.parametrize(
    ("stop", "reason"),
    [(pause, "paused"), (disable, "install-disabled"), (revoke, "capability-revoked")],
)
def test_what_keeps_an_install_from_firing_is_the_reason(
    world: World, install_id: InstallId, stop: Callable[[World, InstallId], None], reason: str
) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    stop(world, install_id)
    assert read_as_tenant(world, schedule) == (None, reason)


def test_a_one_time_schedule_is_due_and_then_completed(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(cron="at(2026-11-23T10:00)"))
    fire = fire_one_time(world, schedule)
    assert read(world, schedule) == (None, "due")

    execute_fire(world.services, world.runner, fire)

    assert read(world, schedule) == (None, "completed")
    (row,) = world.scan_rows_of_type(install_id, "schedule")
    assert "nextFire" not in row


def test_an_occurrence_of_an_earlier_rule_keeps_that_of_the_present_one(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    update_schedule(world.services, install_id, schedule.id, update_input(cron="0 */2 * * *"))
    world.advance(hours=1)
    execute_fire(world.services, world.runner, create_fire(schedule, "2026-11-23T10:00:00Z"))
    assert read(world, schedule) == ("2026-11-23T12:00:00Z", None)
