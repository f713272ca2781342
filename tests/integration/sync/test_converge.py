"""What `converge` and a rollback do where others have changed the rows that they are about."""

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, Killed, fail_timer_calls
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.world import (
    TABLE,
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


def delete_install_row(install_id: InstallId) -> None:
    """Delete the row by hand; an uninstall deletes it last, once no schedule is left."""
    key = {"pk": {"S": f"INSTALL#{install_id}"}, "sk": {"S": "INSTALL"}}
    aws_client("dynamodb").delete_item(TableName=TABLE, Key=key)


def test_row_that_is_pending_again_is_applied_before_it_is_marked_as_synced(
    world: World, schedule: Schedule
) -> None:
    """A second update finishes the first one, writes its row and dies before it calls EventBridge."""
    timer_writes = 0

    def kill_second(call: Call) -> None:
        nonlocal timer_writes
        timer_writes += call.operation == "UpdateSchedule"
        if timer_writes == 2:
            world.calls.before = None
            raise Killed

    def overtake(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            world.calls.before = kill_second
            with pytest.raises(Killed):
                update_schedule(
                    world.services, schedule.install_id, schedule.id, update_input(cron="10 * * * *")
                )

    world.calls.before = overtake
    update_schedule(world.services, schedule.install_id, schedule.id, update_input(cron="5 * * * *"))

    assert get_schedule(world.services, schedule.install_id, schedule.id).definition.cron == "10 * * * *"
    assert world.read_timers()[schedule.id]["ScheduleExpression"] == "cron(10 * * * ? *)"
    assert_consistent(world)


def test_rollback_leaves_a_change_whose_install_is_gone(world: World, schedule: Schedule) -> None:
    """There is no row to release the write in, so that the change stays, pending as its timer is."""

    def delete_then_fail(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            world.calls.before = None
            delete_install_row(schedule.install_id)
            world.calls.before = fail_timer_calls
        fail_timer_calls(call)

    world.calls.before = delete_then_fail
    after = update_schedule(world.services, schedule.install_id, schedule.id, update_input(cron="5 * * * *"))

    assert (after.definition.cron, after.pending) == ("5 * * * *", True)
    assert world.scan_rows_of_type(schedule.install_id, "install") == []


def test_finished_deletion_does_not_recreate_its_install(world: World, schedule: Schedule) -> None:
    """The last write of a deletion counts the schedule off an install that is gone."""
    pending = schedule.marked_deleted(world.clock[0])
    stored = world.services.schedules.read_snapshot(schedule.install_id, schedule.id).schedule
    world.services.schedules.replace_schedule(stored, pending)
    delete_install_row(schedule.install_id)
    world.advance(minutes=2)

    reconcile(world.services)

    assert world.scan_rows_of_type(schedule.install_id, "install") == []
    assert world.read_timers() == {}
