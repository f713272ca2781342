from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from scheduling.domain.errors import CapabilityDenied, InstallNotFound, SchedulingError
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Limits
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.preview import preview_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.world import START, World, changed, on_both, wanted

pytestmark = on_both

TAKEN = "Schedule name already in use for this extension"


def test_nothing_is_written_and_one_read_is_made(world: World, install_id: InstallId) -> None:
    create_schedule(world.services, install_id, wanted(name="taken"))
    rows, timers = world.rows(install_id), world.timers()
    world.calls.made.clear()

    preview_schedule(world.services, install_id, wanted(name="taken"))
    preview_schedule(world.services, install_id, wanted(name="new", payload=[1]))

    assert world.calls.operations() == ["BatchGetItem", "BatchGetItem"]
    assert (world.rows(install_id), world.timers()) == (rows, timers)


def test_the_next_fires_are_by_the_clock_of_the_service(world: World, install_id: InstallId) -> None:
    world.advance(minutes=30)

    found = preview_schedule(world.services, install_id, wanted())

    assert [fire.utc for fire in found.fire_times] == [START + timedelta(hours=n) for n in range(1, 11)]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="all defaults"),
        pytest.param({"name": "free"}, id="a free name"),
        pytest.param({"endpoint": "/api/both", "payload": {}, "timezone": "Asia/Gaza"}, id="a bare path"),
        pytest.param({"cron": "0 9 29 2 *"}, id="a leap day"),
    ],
)
def test_what_it_accepts_is_created_as_it_shows(
    world: World, install_id: InstallId, fields: Mapping[str, object]
) -> None:
    found = preview_schedule(world.services, install_id, wanted(**fields))
    schedule = create_schedule(world.services, install_id, wanted(**fields))

    assert (found.error, found.endpoint) == (None, schedule.definition.endpoint)
    timer = world.timers()[schedule.id]
    assert timer["ScheduleExpression"] == found.expression
    assert timer["ScheduleExpressionTimezone"] == found.timezone


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"name": " taken "}, id="a taken name"),
        pytest.param({"name": "taken", "timezone": "x"}, id="a taken name and a broken field"),
        pytest.param({"cron": "*/4 9 * * *", "payload": 1, "endpoint": "/none", "x": 1}, id="broken fields"),
        pytest.param({"enabled": None}, id="a wrong type"),
    ],
)
def test_what_it_refuses_is_refused_in_the_same_words(
    world: World, install_id: InstallId, fields: Mapping[str, object]
) -> None:
    create_schedule(world.services, install_id, wanted(name="taken"))

    found = preview_schedule(world.services, install_id, wanted(**fields))

    with pytest.raises(SchedulingError) as refused:
        create_schedule(world.services, install_id, wanted(**fields))
    assert (found.error, found.field_errors) == (str(refused.value), refused.value.field_errors)


def test_a_name_is_taken_for_as_long_as_a_schedule_of_the_same_install_has_it(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, wanted(name="nightly"))
    neighbour = world.register()

    assert preview_schedule(world.services, neighbour, wanted(name="nightly")).error is None
    assert preview_schedule(world.services, install_id, wanted(name="nightly")).field_errors == {
        "name": TAKEN
    }
    update_schedule(world.services, install_id, schedule.id, changed(name=None))
    assert preview_schedule(world.services, install_id, wanted(name="nightly")).error is None


def test_the_quota_is_told_without_a_field_and_the_window_is_left_alone(
    world: World, install_id: InstallId
) -> None:
    limits = Limits(max_schedules_per_install=1, writes_per_minute=1)
    services = replace(world.services, limits=limits)
    for _ in range(3):
        assert preview_schedule(services, install_id, wanted()).error is None
    create_schedule(services, install_id, wanted())

    full = preview_schedule(services, install_id, wanted())

    assert (full.error, full.field_errors) == ("Too many schedules (max 1 per extension install)", {})
    assert len(full.fire_times) == 10


def test_only_an_install_that_may_manage_schedules_gets_one(world: World, install_id: InstallId) -> None:
    with pytest.raises(InstallNotFound):
        preview_schedule(world.services, InstallId("absent"), wanted())
    with pytest.raises(CapabilityDenied):
        preview_schedule(world.services, world.register(grantedCapabilities=[]), wanted())
    world.register(install_id, enabled=False)
    with pytest.raises(InstallNotFound):
        preview_schedule(world.services, install_id, wanted())
