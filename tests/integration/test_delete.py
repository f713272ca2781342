import pytest
from scheduling.domain.errors import PreconditionFailed, ScheduleNotFound
from scheduling.domain.ids import InstallId
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws_calls import Call, lost, refused
from tests.support.world import World, changed, on_both, timer_input, wanted

pytestmark = on_both


def test_row_name_timer_and_place_are_gone_after_four_calls(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted(name="nightly"))
    world.calls.made.clear()

    delete_schedule(world.services, install_id, schedule.id)

    assert world.calls.operations() == [
        "BatchGetItem",
        "TransactWriteItems",
        "DeleteSchedule",
        "TransactWriteItems",
    ]
    assert [row["type"] for row in world.rows(install_id)] == ["config", "install"]
    assert world.kinds(install_id, "install")[0]["scheduleCount"] == "0"
    assert world.timers() == {}


def test_a_change_finishes_a_delete_before_it_says_that_the_schedule_is_gone(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, wanted(name="nightly"))

    def die(call: Call) -> None:
        if call.operation == "DeleteSchedule":
            raise KeyboardInterrupt

    world.calls.before = die
    with pytest.raises(KeyboardInterrupt):
        delete_schedule(world.services, install_id, schedule.id)
    world.calls.before = None

    with pytest.raises(ScheduleNotFound):
        update_schedule(world.services, install_id, schedule.id, changed(enabled=False))

    assert world.kinds(install_id, "schedule") == []
    assert world.timers() == {}


def test_a_schedule_without_timer_needs_two_calls(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted(enabled=False))
    world.calls.made.clear()

    delete_schedule(world.services, install_id, schedule.id)

    assert world.calls.operations() == ["BatchGetItem", "TransactWriteItems"]


def test_twice_is_not_found(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())
    delete_schedule(world.services, install_id, schedule.id)

    with pytest.raises(ScheduleNotFound):
        delete_schedule(world.services, install_id, schedule.id)


def test_another_installs_schedule_is_not_found_and_stays(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())
    other = world.register(tenantId="tenant-2")

    with pytest.raises(ScheduleNotFound):
        delete_schedule(world.services, other, schedule.id)

    assert schedule.id in world.timers()


def test_if_match_admits_the_current_revision_only(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())

    with pytest.raises(PreconditionFailed):
        delete_schedule(world.services, install_id, schedule.id, if_match=frozenset({2}))
    delete_schedule(world.services, install_id, schedule.id, if_match=frozenset({1, 7}))


@pytest.mark.parametrize(
    "failure", [refused("ThrottlingException"), lost(), refused("AccessDeniedException")]
)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_not_deleted_means_just_that(
    world: World, install_id: InstallId, failure: Exception, moment: str
) -> None:
    schedule = create_schedule(world.services, install_id, wanted(name="nightly"))

    def fail(call: Call) -> None:
        if call.operation == "DeleteSchedule":
            raise failure

    setattr(world.calls, moment, fail)
    with pytest.raises(Exception, match=r"^Schedule not deleted: "):
        delete_schedule(world.services, install_id, schedule.id)
    setattr(world.calls, moment, None)
    world.advance(seconds=61)
    reconcile(world.services)

    after = get_schedule(world.services, install_id, schedule.id)
    assert after.definition == schedule.definition
    assert timer_input(world, schedule)["revision"] == after.timer_revision
    assert world.kinds(install_id, "install")[0]["scheduleCount"] == "1"


def test_a_delete_that_died_is_finished_by_the_reconciler(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted(name="nightly"))

    def die(call: Call) -> None:
        if call.operation == "DeleteSchedule":
            raise KeyboardInterrupt

    world.calls.before = die
    with pytest.raises(KeyboardInterrupt):
        delete_schedule(world.services, install_id, schedule.id)
    world.calls.before = None

    world.advance(seconds=59)
    assert reconcile(world.services).synced == 0
    world.advance(seconds=2)
    assert reconcile(world.services).synced == 1

    assert [row["type"] for row in world.rows(install_id)] == ["config", "install"]
    assert world.kinds(install_id, "install")[0]["scheduleCount"] == "0"
    assert world.timers() == {}
