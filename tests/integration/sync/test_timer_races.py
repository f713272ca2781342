"""Others create, change or delete the same timer between two calls of one write."""

from collections.abc import Callable

import pytest
from scheduling.domain.errors import Unavailable
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, client_error
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.world import (
    GROUP,
    World,
    aws_client,
    create_input,
    on_moto_and_memory,
    update_input,
)

pytestmark = on_moto_and_memory
_WRITES = {"CreateSchedule", "UpdateSchedule", "DeleteSchedule"}


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    return create_schedule(world.services, install_id, create_input())


def before_timer_writes(world: World, **actions: Callable[[Call], object]) -> None:
    """Run the action of an operation before its next call; a call of the action's own runs none."""

    def act(call: Call) -> None:
        action = actions.pop(call.operation, None)
        if action:
            world.calls.before = None
            action(call)
            world.calls.before = act

    world.calls.before = act


def list_timer_writes(world: World) -> list[str]:
    return [name for name in world.calls.operation_names() if name in _WRITES]


def delete_timer(schedule_id: str) -> None:
    aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=schedule_id)


def create_timer(call: Call) -> None:
    """Create the timer that the call is about, as others have done a moment ago."""
    aws_client("scheduler").create_schedule(**call.arguments)


def raise_conflict(call: Call) -> None:
    """Let EventBridge refuse a call because another one of the same timer is in progress."""
    raise client_error("ConflictException", call.operation, status=409)


def test_timer_created_after_it_was_not_found_is_updated(world: World, schedule: Schedule) -> None:
    delete_timer(schedule.id)
    world.calls.recorded.clear()
    before_timer_writes(world, CreateSchedule=create_timer)

    update_schedule(world.services, schedule.install_id, schedule.id, update_input(cron="5 * * * *"))

    assert list_timer_writes(world) == [
        "UpdateSchedule",
        "CreateSchedule",  # that of the others
        "CreateSchedule",
        "UpdateSchedule",
    ]
    assert_consistent(world)


def test_timer_deleted_after_it_was_there_is_created(world: World, install_id: InstallId) -> None:
    before_timer_writes(
        world, CreateSchedule=create_timer, UpdateSchedule=lambda call: delete_timer(call.arguments["Name"])
    )

    create_schedule(world.services, install_id, create_input())

    assert list_timer_writes(world) == [
        "CreateSchedule",
        "CreateSchedule",
        "DeleteSchedule",
        "UpdateSchedule",
        "CreateSchedule",
    ]
    assert_consistent(world)


def test_update_in_conflict_with_another_is_repeated(world: World, schedule: Schedule) -> None:
    before_timer_writes(world, UpdateSchedule=raise_conflict)

    update_schedule(world.services, schedule.install_id, schedule.id, update_input(cron="5 * * * *"))

    assert_consistent(world)


def test_delete_in_conflict_with_another_is_repeated(world: World, schedule: Schedule) -> None:
    before_timer_writes(world, DeleteSchedule=raise_conflict)

    delete_schedule(world.services, schedule.install_id, schedule.id)

    assert_consistent(world)


def test_timer_that_stays_in_conflict_is_given_up(world: World, schedule: Schedule) -> None:
    failures = 0

    def refuse(call: Call) -> None:
        nonlocal failures
        if call.operation in _WRITES and failures < 3:
            failures += 1
            raise_conflict(call)

    world.calls.before = refuse
    with pytest.raises(Unavailable, match=r"^Schedule not updated: the timer service is not available"):
        update_schedule(world.services, schedule.install_id, schedule.id, update_input(cron="5 * * * *"))

    assert get_schedule(world.services, schedule.install_id, schedule.id).definition.cron == "0 * * * *"
    assert_consistent(world)
    failures = 0
    with pytest.raises(Unavailable, match=r"^Schedule not deleted: the timer service is not available"):
        delete_schedule(world.services, schedule.install_id, schedule.id)
    assert_consistent(world)
