"""What the audit tells of whole operations on schedules, by the rows that they write."""

from collections.abc import Callable

import pytest
from scheduling.domain.errors import SchedulingError
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.audit import Audit, move
from tests.support.aws_calls import Call, refused
from tests.support.world import TENANT, World, changed, on_both, wanted

pytestmark = on_both


@pytest.fixture
def schedule(world: World, audit: Audit, install_id: InstallId) -> Schedule:
    schedule = create_schedule(world.services, install_id, wanted(name="hourly", payload=[1]))
    audit.told()
    return schedule


def refuse(world: World, operation: str) -> None:
    """Let EventBridge Scheduler say no to every such call."""

    def before(call: Call) -> None:
        if call.operation == operation:
            raise refused("ValidationException", operation)

    world.calls.before = before


def test_created(world: World, install_id: InstallId, audit: Audit) -> None:
    schedule = create_schedule(world.services, install_id, wanted(name="hourly", payload=[1]))

    (event,) = audit.told()
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
def test_updated(
    world: World,
    audit: Audit,
    schedule: Schedule,
    fields: dict[str, object],
    changes: dict[str, object],
    payload_changed: bool,
) -> None:
    update_schedule(world.services, schedule.install_id, schedule.id, changed(**fields))

    (event,) = audit.told()
    assert str(event) == "ScheduleUpdated by host_api"
    assert event.changes == changes
    assert event.detail["payloadChanged"] is payload_changed


def test_updated_to_the_same(world: World, audit: Audit, schedule: Schedule) -> None:
    update_schedule(
        world.services, schedule.install_id, schedule.id, changed(cron="0 * * * *", name="hourly")
    )

    assert audit.names() == []


def test_deleted(world: World, audit: Audit, schedule: Schedule) -> None:
    delete_schedule(world.services, schedule.install_id, schedule.id)

    (event,) = audit.told()
    assert str(event) == "ScheduleDeleted by host_api"
    assert (event.detail["before"]["name"], event.detail["after"]) == ("hourly", None)


def test_deleted_by_its_owner_after_the_platform_has_disabled_it(
    world: World, audit: Audit, schedule: Schedule
) -> None:
    move(world, schedule.install_id)
    assert audit.names() == ["InstallMoved by admin", "ScheduleUpdated by admin"]

    delete_schedule(world.services, schedule.install_id, schedule.id)

    assert audit.names() == ["ScheduleDeleted by host_api"]


@pytest.mark.parametrize(
    ("operation", "act", "expected"),
    [
        pytest.param(
            "CreateSchedule",
            lambda world, schedule: create_schedule(
                world.services, schedule.install_id, wanted(name="other")
            ),
            ["ScheduleCreated by host_api", "ScheduleDeleted by system"],
            id="create",
        ),
        pytest.param(
            "UpdateSchedule",
            lambda world, schedule: update_schedule(
                world.services, schedule.install_id, schedule.id, changed(cron="5 * * * *")
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
def test_taken_back_since_eventbridge_refused(
    world: World,
    audit: Audit,
    schedule: Schedule,
    operation: str,
    act: Callable[[World, Schedule], object],
    expected: list[str],
) -> None:
    refuse(world, operation)
    with pytest.raises(SchedulingError):
        act(world, schedule)

    first, second = audit.told()

    assert [str(first), str(second)] == expected
    assert second.detail["actor"] == {"kind": "system", "principal": None}
    assert (first.detail["before"], first.detail["after"]) == (
        second.detail["after"],
        second.detail["before"],
    )
