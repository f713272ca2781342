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

from tests.support.stacks.world import (
    START,
    World,
    create_input,
    on_moto_and_memory,
    once_on_moto,
    update_input,
)

pytestmark = [on_moto_and_memory, once_on_moto]

NAME_TAKEN_ERROR = "Schedule name already in use for this extension"


def test_nothing_is_written_and_one_read_is_made(world: World, install_id: InstallId) -> None:
    create_schedule(world.services, install_id, create_input(name="taken"))
    rows, timers = world.scan_rows(install_id), world.read_timers()
    world.calls.recorded.clear()

    preview_schedule(world.services, install_id, create_input(name="taken"))
    preview_schedule(world.services, install_id, create_input(name="new", payload=[1]))

    assert world.calls.operation_names() == ["BatchGetItem", "BatchGetItem"]
    assert (world.scan_rows(install_id), world.read_timers()) == (rows, timers)


def test_the_next_fires_are_by_the_clock_of_the_service(world: World, install_id: InstallId) -> None:
    world.advance(minutes=30)

    result = preview_schedule(world.services, install_id, create_input())

    assert [fire.utc for fire in result.fire_times] == [START + timedelta(hours=n) for n in range(1, 11)]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="all defaults"),
        pytest.param({"name": "free"}, id="a free name"),
        pytest.param({"endpoint": "/api/both", "payload": {}, "timezone": "Asia/Gaza"}, id="a bare path"),
        pytest.param({"cron": "0 9 29 2 *"}, id="a leap day"),
    ],
)
def test_accepted_preview_is_created_as_previewed(
    world: World, install_id: InstallId, fields: Mapping[str, object]
) -> None:
    result = preview_schedule(world.services, install_id, create_input(**fields))
    schedule = create_schedule(world.services, install_id, create_input(**fields))

    assert (result.error, result.endpoint) == (None, schedule.definition.endpoint)
    timer = world.read_timers()[schedule.id]
    assert timer["ScheduleExpression"] == result.expression
    assert timer["ScheduleExpressionTimezone"] == result.timezone


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"name": " taken "}, id="a taken name"),
        pytest.param({"name": "taken", "timezone": "x"}, id="a taken name and a broken field"),
        pytest.param({"cron": "*/4 9 * * *", "payload": 1, "endpoint": "/none", "x": 1}, id="broken fields"),
        pytest.param({"enabled": None}, id="a wrong type"),
    ],
)
def test_preview_and_create_refuse_alike(
    world: World, install_id: InstallId, fields: Mapping[str, object]
) -> None:
    create_schedule(world.services, install_id, create_input(name="taken"))

    result = preview_schedule(world.services, install_id, create_input(**fields))

    with pytest.raises(SchedulingError) as refusal:
        create_schedule(world.services, install_id, create_input(**fields))
    assert (result.error, result.field_errors) == (str(refusal.value), refusal.value.field_errors)


def test_name_is_taken_while_a_schedule_of_the_install_has_it(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(name="nightly"))
    neighbour = world.register_install()

    assert preview_schedule(world.services, neighbour, create_input(name="nightly")).error is None
    assert preview_schedule(world.services, install_id, create_input(name="nightly")).field_errors == {
        "name": NAME_TAKEN_ERROR
    }
    update_schedule(world.services, install_id, schedule.id, update_input(name=None))
    assert preview_schedule(world.services, install_id, create_input(name="nightly")).error is None


def test_quota_error_has_no_field_and_consumes_no_write(world: World, install_id: InstallId) -> None:
    limits = Limits(max_schedules_per_install=1, writes_per_minute=1)
    services = replace(world.services, limits=limits)
    for _ in range(3):
        assert preview_schedule(services, install_id, create_input()).error is None
    create_schedule(services, install_id, create_input())

    full = preview_schedule(services, install_id, create_input())

    assert (full.error, full.field_errors) == ("Too many schedules (max 1 per extension install)", {})
    assert len(full.fire_times) == 10


def test_preview_requires_manage_capability(world: World, install_id: InstallId) -> None:
    with pytest.raises(InstallNotFound):
        preview_schedule(world.services, InstallId("absent"), create_input())
    with pytest.raises(CapabilityDenied):
        preview_schedule(world.services, world.register_install(grantedCapabilities=[]), create_input())
    world.register_install(install_id, enabled=False)
    with pytest.raises(InstallNotFound):
        preview_schedule(world.services, install_id, create_input())
