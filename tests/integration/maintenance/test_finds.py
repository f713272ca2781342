"""What the sweep finds about timers is kept: once for each repair, whatever dies, fails or runs at the same time."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from scheduling.domain.audit.finds import TIMER_REPAIRED, TimerFind, find_from_change
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import TimerDifference
from scheduling.operations.installs.changes import list_changes
from scheduling.operations.installs.unhealthy import list_finds
from scheduling.operations.maintenance.parts import sweep_install
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.integration.maintenance.sweeps import delete_timer
from tests.integration.maintenance.test_sweep import alter_timer, set_attribute, set_old_revision
from tests.support.aws.calls import Call, client_error
from tests.support.oracles.audit import Audit
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.world import TABLE, World, create_input, on_moto_and_memory, update_input


class Killed(BaseException):
    """Ends a function between two calls."""


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    created = create_schedule(world.services, install_id, create_input(name="nightly"))
    world.advance(hours=2)
    return created


def check(world: World, schedule: Schedule) -> Counter[str]:
    """Let the sweep check the schedule's install, and return its repairs."""
    repairs: Counter[str] = Counter()
    sweep_install(world.services, schedule.install_id, repairs)
    return repairs


def list_kept_finds(schedule: Schedule) -> Sequence[TimerFind]:
    """Return what is kept among the changes of the schedule, newest first."""
    page = list_changes(schedule.install_id, schedule.id, limit=50)
    return [find for find in map(find_from_change, page.changes) if find]


def list_indexed(world: World, **options: object) -> list[str]:
    page = list_finds(world.services, limit=10, **options)  # type: ignore[arg-type]
    return [each.schedule.id for each in page.finds]


def disable_row(schedule: Schedule) -> None:
    set_attribute(schedule, f"SCHEDULE#{schedule.id}", "enabled", {"BOOL": False})


DRIFTS: dict[str, tuple[Callable[[Schedule], None], list[TimerDifference], bool]] = {
    "missing": (delete_timer, [TimerDifference("timer", False, True)], True),
    "another expression": (
        lambda each: alter_timer(each, ScheduleExpression="cron(1 * * * ? *)"),
        [TimerDifference("expression", "cron(1 * * * ? *)", "cron(0 * * * ? *)")],
        True,
    ),
    "another zone": (
        lambda each: alter_timer(each, ScheduleExpressionTimezone="Asia/Tokyo"),
        [TimerDifference("timezone", "Asia/Tokyo", "UTC")],
        True,
    ),
    "disabled": (
        lambda each: alter_timer(each, State="DISABLED"),
        [TimerDifference("stack", False, True)],
        True,
    ),
    "an old revision, which delivers": (set_old_revision, [TimerDifference("revision", 77, 1)], False),
    "unwanted": (disable_row, [TimerDifference("timer", True, False)], False),
}


@on_moto_and_memory
@pytest.mark.parametrize(("drift", "differences", "prevents_fires"), DRIFTS.values(), ids=DRIFTS)
def test_each_repair_of_a_timer_is_kept(
    world: World,
    schedule: Schedule,
    drift: Callable[[Schedule], None],
    differences: list[TimerDifference],
    prevents_fires: bool,
) -> None:
    drift(schedule)
    check(world, schedule)
    (find,) = list_kept_finds(schedule)
    assert find.time == world.clock[0]
    assert list(find.differences) == differences
    assert find.prevents_fires is prevents_fires
    assert list_indexed(world, only_preventing=True) == ([schedule.id] if prevents_fires else [])
    assert list_indexed(world) == [schedule.id]
    assert not check(world, schedule), "a timer that is right is no find"
    assert_consistent(world)


def test_a_find_is_a_change_of_the_service_and_no_event(
    world: World, schedule: Schedule, audit: Audit
) -> None:
    delete_timer(schedule)
    audit.publish_new_events()
    check(world, schedule)
    assert audit.publish_new_event_names() == []
    (change,) = [
        each for each in list_changes(schedule.install_id, limit=50).changes if each.name == TIMER_REPAIRED
    ]
    assert (change.actor, change.before, change.after) == (
        "system",
        {"timerExists": False},
        {"timerExists": True},
    )


def test_a_find_expires_with_the_changes(world: World, schedule: Schedule) -> None:
    delete_timer(schedule)
    check(world, schedule)
    assert world.memory
    (item,) = [
        each
        for each in world.memory.tables[TABLE].items.values()
        if each.get("name") == {"S": TIMER_REPAIRED}
    ]
    expiry = world.clock[0] + timedelta(days=30)
    assert item["expiresAt"] == {"N": str(int(expiry.timestamp()))}


def test_two_sweeps_at_once_keep_one_find(world: World, schedule: Schedule) -> None:
    delete_timer(schedule)
    other: Counter[str] = Counter()
    reads = 0

    def sweep_meanwhile(call: Call) -> None:
        nonlocal reads
        if (
            call.operation == "TransactWriteItems" and not reads
        ):  # this sweep is about to mark what it has found
            reads = 1
            other.update(check(world, schedule))

    world.calls.before = sweep_meanwhile
    first = check(world, schedule)
    world.calls.before = None
    assert (first, other) == (Counter(), Counter({"missing timer": 1}))
    assert len(list_kept_finds(schedule)) == 1
    assert_consistent(world)


@pytest.mark.parametrize("operation", ["CreateSchedule", "UpdateItem"])
def test_a_sweep_that_dies_after_the_find_leaves_the_repair_to_the_reconciler(
    world: World, schedule: Schedule, operation: str
) -> None:
    delete_timer(schedule)

    def kill(call: Call) -> None:
        if call.operation == operation:
            raise Killed

    world.calls.before = kill
    with pytest.raises(Killed):
        check(world, schedule)
    world.calls.before = None
    (find,) = list_kept_finds(schedule)
    world.advance(minutes=2)
    reconcile(world.services)
    assert schedule.id in world.read_timers()
    assert not check(world, schedule)
    assert list_kept_finds(schedule) == [find]
    assert_consistent(world)


def test_a_sweep_that_dies_before_the_find_has_changed_nothing(world: World, schedule: Schedule) -> None:
    delete_timer(schedule)

    def kill(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            raise Killed

    world.calls.before = kill
    with pytest.raises(Killed):
        check(world, schedule)
    world.calls.before = None
    assert list_kept_finds(schedule) == []
    assert check(world, schedule) == {"missing timer": 1}
    assert len(list_kept_finds(schedule)) == 1


@pytest.mark.parametrize("code", ["ValidationException", "ProvisionedThroughputExceededException"])
def test_a_find_that_cannot_be_kept_prevents_no_repair(world: World, schedule: Schedule, code: str) -> None:
    delete_timer(schedule)

    def fail(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            raise client_error(code, call.operation)

    world.calls.before = fail
    assert check(world, schedule) == {"missing timer": 1, "unkept find": 1}
    world.calls.before = None
    assert schedule.id in world.read_timers()
    assert list_kept_finds(schedule) == []
    assert_consistent(world)


def test_a_change_of_the_schedule_meanwhile_is_no_find(world: World, schedule: Schedule) -> None:
    delete_timer(schedule)
    updates = 0

    def update_meanwhile(call: Call) -> None:
        nonlocal updates
        if call.operation == "TransactWriteItems" and not updates:
            updates = 1
            update_schedule(world.services, schedule.install_id, schedule.id, update_input(cron="5 * * * *"))

    world.calls.before = update_meanwhile
    assert not check(world, schedule)
    world.calls.before = None
    assert list_kept_finds(schedule) == []
    assert_consistent(world)


def test_finds_are_listed_newest_first_up_to_the_limit(world: World) -> None:
    schedules = [create_schedule(world.services, world.register_install(), create_input()) for _ in range(3)]
    for each in (*schedules, schedules[0]):
        delete_timer(each)
        world.advance(hours=1)
        check(world, each)
    page = list_finds(world.services, limit=10)
    assert [each.schedule.id for each in page.finds] == [schedules[index].id for index in (0, 2, 1)]
    assert not page.has_more
    page = list_finds(world.services, limit=2)
    assert [each.schedule.id for each in page.finds] == [schedules[index].id for index in (0, 2)]
    assert page.has_more
    assert list_indexed(world, since=world.clock[0]) == [schedules[0].id]


def test_a_deleted_schedule_is_no_longer_found(world: World, schedule: Schedule) -> None:
    delete_timer(schedule)
    check(world, schedule)
    delete_schedule(world.services, schedule.install_id, schedule.id)
    assert list_indexed(world) == []
    assert len(list_kept_finds(schedule)) == 1
