import pytest
from scheduling.domain.errors import PreconditionFailed, ScheduleNotFound, Unavailable
from scheduling.domain.ids import InstallId
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, client_error, lost_response_error
from tests.support.stacks.world import World, create_input, on_moto_and_memory, read_timer_input, update_input

pytestmark = on_moto_and_memory


def test_row_name_timer_and_count_are_deleted_in_four_calls(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(name="nightly"))
    world.calls.recorded.clear()

    delete_schedule(world.services, install_id, schedule.id)

    assert world.calls.operation_names() == [
        "BatchGetItem",
        "TransactWriteItems",
        "DeleteSchedule",
        "TransactWriteItems",
    ]
    assert [row["type"] for row in world.scan_rows(install_id)] == ["install"]
    assert world.scan_rows_of_type(install_id, "install")[0]["scheduleCount"] == "0"
    assert world.read_timers() == {}


def test_update_finishes_pending_delete_before_not_found(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(name="nightly"))

    def kill(call: Call) -> None:
        if call.operation == "DeleteSchedule":
            raise KeyboardInterrupt

    world.calls.before = kill
    with pytest.raises(KeyboardInterrupt):
        delete_schedule(world.services, install_id, schedule.id)
    world.calls.before = None

    with pytest.raises(ScheduleNotFound):
        update_schedule(world.services, install_id, schedule.id, update_input(enabled=False))

    assert world.scan_rows_of_type(install_id, "schedule") == []
    assert world.read_timers() == {}


def test_a_schedule_without_timer_needs_two_calls(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(enabled=False))
    world.calls.recorded.clear()

    delete_schedule(world.services, install_id, schedule.id)

    assert world.calls.operation_names() == ["BatchGetItem", "TransactWriteItems"]


def test_deleted_schedule_without_timer_is_gone_though_the_response_is_lost(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, create_input(enabled=False, name="nightly"))

    def lose_response(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            world.calls.after = None
            raise lost_response_error()

    world.calls.after = lose_response
    delete_schedule(world.services, install_id, schedule.id)

    assert [row["type"] for row in world.scan_rows(install_id)] == ["install"]


def test_schedule_without_timer_is_deleted_by_a_request_that_the_sdk_repeats(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, create_input(enabled=False))

    def conflict_with_itself(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            world.calls.after = None
            error = client_error("TransactionCanceledException")
            error.response["CancellationReasons"] = [{"Code": "ConditionalCheckFailed"}]
            raise error

    world.calls.after = conflict_with_itself
    delete_schedule(world.services, install_id, schedule.id)

    assert world.scan_rows_of_type(install_id, "schedule") == []


def test_schedule_without_timer_that_is_not_deleted_is_reported(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(enabled=False))

    def throttle(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            raise client_error("ThrottlingException")

    world.calls.before = throttle
    with pytest.raises(Unavailable):
        delete_schedule(world.services, install_id, schedule.id)
    world.calls.before = None

    assert get_schedule(world.services, install_id, schedule.id) == schedule


def test_schedule_without_timer_that_others_change_is_read_again(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(enabled=False))

    def enable(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            world.calls.before = None
            update_schedule(world.services, install_id, schedule.id, update_input(enabled=True))

    world.calls.before = enable
    delete_schedule(world.services, install_id, schedule.id)

    assert world.scan_rows_of_type(install_id, "schedule") == []
    assert world.read_timers() == {}


def test_second_delete_is_not_found(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    delete_schedule(world.services, install_id, schedule.id)

    with pytest.raises(ScheduleNotFound):
        delete_schedule(world.services, install_id, schedule.id)


def test_foreign_schedule_is_not_found_and_kept(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    other = world.register_install(tenantId="tenant-2")

    with pytest.raises(ScheduleNotFound):
        delete_schedule(world.services, other, schedule.id)

    assert schedule.id in world.read_timers()


def test_if_match_admits_the_current_revision_only(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())

    with pytest.raises(PreconditionFailed):
        delete_schedule(world.services, install_id, schedule.id, if_match=frozenset({2}))
    delete_schedule(world.services, install_id, schedule.id, if_match=frozenset({1, 7}))


@pytest.mark.parametrize(
    "failure",
    [client_error("ThrottlingException"), lost_response_error(), client_error("AccessDeniedException")],
)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_refused_delete_keeps_the_schedule(
    world: World, install_id: InstallId, failure: Exception, moment: str, caplog: pytest.LogCaptureFixture
) -> None:
    schedule = create_schedule(world.services, install_id, create_input(name="nightly"))

    def fail(call: Call) -> None:
        if call.operation == "DeleteSchedule":
            raise failure

    setattr(world.calls, moment, fail)
    with pytest.raises(Exception, match=r"^Schedule not deleted: "):
        delete_schedule(world.services, install_id, schedule.id)
    setattr(world.calls, moment, None)
    assert f"timer of {schedule.id} failed: " in caplog.text
    world.advance(seconds=61)
    reconcile(world.services)

    after = get_schedule(world.services, install_id, schedule.id)
    assert after.definition == schedule.definition
    assert read_timer_input(world, schedule)["revision"] == after.timer_revision
    assert world.scan_rows_of_type(install_id, "install")[0]["scheduleCount"] == "1"


def test_interrupted_delete_is_finished_by_the_reconciler(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(name="nightly"))

    def kill(call: Call) -> None:
        if call.operation == "DeleteSchedule":
            raise KeyboardInterrupt

    world.calls.before = kill
    with pytest.raises(KeyboardInterrupt):
        delete_schedule(world.services, install_id, schedule.id)
    world.calls.before = None

    world.advance(seconds=59)
    assert reconcile(world.services).synced == 0
    world.advance(seconds=2)
    assert reconcile(world.services).synced == 1

    assert [row["type"] for row in world.scan_rows(install_id)] == ["install"]
    assert world.scan_rows_of_type(install_id, "install")[0]["scheduleCount"] == "0"
    assert world.read_timers() == {}
