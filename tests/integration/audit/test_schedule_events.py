"""The events that operations on schedules cause by the rows that they write."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from scheduling.domain.errors import SchedulingError
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, client_error
from tests.support.oracles.audit import Audit, move_install
from tests.support.stacks.world import TENANT, World, create_input, on_moto_and_memory, update_input

pytestmark = on_moto_and_memory


@pytest.fixture
def schedule(world: World, audit: Audit, install_id: InstallId) -> Schedule:
    schedule = create_schedule(world.services, install_id, create_input(name="hourly", payload=[1]))
    audit.publish_new_events()
    return schedule


def refuse_calls(world: World, operation: str) -> None:
    """Make EventBridge Scheduler refuse every call of the operation."""

    def refuse_call(call: Call) -> None:
        if call.operation == operation:
            raise client_error("ValidationException", operation)

    world.calls.before = refuse_call


def test_create_causes_an_event(world: World, install_id: InstallId, audit: Audit) -> None:
    schedule = create_schedule(world.services, install_id, create_input(name="hourly", payload=[1]))

    (event,) = audit.publish_new_events()
    assert str(event) == "ScheduleCreated by host_api"
    assert event.detail["actor"] == {"kind": "host_api", "principal": install_id}
    assert (event.detail["tenantId"], event.detail["scheduleId"]) == (TENANT, schedule.id)
    assert (event.detail["before"], event.detail["after"]["name"]) == (None, "hourly")
    assert event.detail["time"] == "2026-11-23T09:00:00.000Z"


@pytest.mark.parametrize(
    ("fields", "changes", "payload_changed"),
    [
        pytest.param({"enabled": False}, {"enabled": (True, False), "revision": (1, 2)}, False, id="disable"),
        pytest.param(
            {"cron": "5 * * * *", "name": None},
            {"cron": ("0 * * * *", "5 * * * *"), "name": ("hourly", None), "revision": (1, 2)},
            False,
            id="rule and name",
        ),
        pytest.param({"payload": [2]}, {"revision": (1, 2)}, True, id="payload"),
    ],
)
def test_update_causes_an_event_with_the_changes(
    world: World,
    audit: Audit,
    schedule: Schedule,
    fields: dict[str, object],
    changes: dict[str, object],
    payload_changed: bool,
) -> None:
    update_schedule(world.services, schedule.install_id, schedule.id, update_input(**fields))

    (event,) = audit.publish_new_events()
    assert str(event) == "ScheduleUpdated by host_api"
    assert event.changes == changes
    assert event.detail["payloadChanged"] is payload_changed


def test_update_to_same_values_publishes_nothing(world: World, audit: Audit, schedule: Schedule) -> None:
    update_schedule(
        world.services, schedule.install_id, schedule.id, update_input(cron="0 * * * *", name="hourly")
    )

    assert audit.publish_new_event_names() == []


def test_delete_causes_an_event(world: World, audit: Audit, schedule: Schedule) -> None:
    delete_schedule(world.services, schedule.install_id, schedule.id)

    (event,) = audit.publish_new_events()
    assert str(event) == "ScheduleDeleted by host_api"
    assert (event.detail["before"]["name"], event.detail["after"]) == ("hourly", None)


def test_delete_by_the_owner_of_a_disabled_schedule_has_the_owner_as_actor(
    world: World, audit: Audit, schedule: Schedule
) -> None:
    move_install(world, schedule.install_id)
    assert audit.publish_new_event_names() == ["InstallMoved by admin", "ScheduleUpdated by admin"]

    delete_schedule(world.services, schedule.install_id, schedule.id)

    assert audit.publish_new_event_names() == ["ScheduleDeleted by host_api"]


@pytest.mark.parametrize(
    ("operation", "act", "expected"),
    [
        pytest.param(
            "CreateSchedule",
            lambda world, schedule: create_schedule(
                world.services, schedule.install_id, create_input(name="other")
            ),
            ["ScheduleCreated by host_api", "ScheduleDeleted by system"],
            id="create",
        ),
        pytest.param(
            "UpdateSchedule",
            lambda world, schedule: update_schedule(
                world.services, schedule.install_id, schedule.id, update_input(cron="5 * * * *")
            ),
            ["ScheduleUpdated by host_api", "ScheduleUpdated by system"],
            id="update",
        ),
        pytest.param(
            "DeleteSchedule",
            lambda world, schedule: delete_schedule(world.services, schedule.install_id, schedule.id),
            ["ScheduleDeleted by host_api", "ScheduleCreated by system"],
            id="delete",
        ),
    ],
)
def test_rollback_causes_a_reverse_event_by_the_system(
    world: World,
    audit: Audit,
    schedule: Schedule,
    operation: str,
    act: Callable[[World, Schedule], object],
    expected: list[str],
) -> None:
    refuse_calls(world, operation)
    with pytest.raises(SchedulingError):
        act(world, schedule)

    first, second = audit.publish_new_events()

    assert [str(first), str(second)] == expected
    assert second.detail["actor"] == {"kind": "system", "principal": None}
    assert second.detail["before"] == first.detail["after"]
    assert _without_revision(second.detail["after"]) == _without_revision(first.detail["before"])


def _without_revision(fields: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Leave out the revision: a rollback has one of its own."""
    return fields and {name: value for name, value in fields.items() if name != "revision"}
