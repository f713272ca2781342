"""Runs that wait for a message which was purged: the sweep ends and dead-letters them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Limits
from scheduling.domain.runs import Outcome, Run, RunStatus, SkipReason
from scheduling.domain.schedule import Schedule
from scheduling.operations.maintenance.sweep import sweep
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.integration.maintenance.sweeps import DAY, create_fire, list_history, run_sweep
from tests.support.stacks.fires import PlayedQueue, delivery_from_message, execute_fire
from tests.support.stacks.world import DEAD_LETTER_QUEUE_URL, World, create_input, new_world, update_input

NO_CAPACITY = Outcome(
    status=RunStatus.ERROR, error="The runner has no capacity", retryable=True, retry_after=timedelta()
)
LATER_EVERY_DAY = "0 9 * * *"


@pytest.fixture
def world() -> Iterator[World]:
    """A world in which a message counts as lost a quarter past seven hours after its time."""
    with new_world(Limits(writes_per_minute=1000, max_wait_hours=6), aws="memory") as world:
        sweep(world.services, DAY)
        yield world


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    """A schedule of nine o'clock, at eight."""
    world.advance(hours=23)
    return create_schedule(world.services, install_id, create_input(cron=LATER_EVERY_DAY))


def wait_for_capacity(world: World, schedule: Schedule) -> None:
    world.advance(hours=1)
    world.runner.outcome = NO_CAPACITY
    execute_fire(world.services, world.runner, create_fire(schedule, "2026-11-24T09:00:00Z"))


def read_run(world: World, schedule: Schedule) -> Run:
    (run,) = [run for run in list_history(world, schedule) if run.scheduled_time == "2026-11-24T09:00:00Z"]
    return run


def test_run_whose_message_is_gone_is_ended_and_can_be_replayed(world: World, schedule: Schedule) -> None:
    wait_for_capacity(world, schedule)
    (letters_before, waiting) = world.list_sent_messages(DEAD_LETTER_QUEUE_URL), read_run(world, schedule)

    repairs = run_sweep(world)

    run = read_run(world, schedule)
    assert (letters_before, waiting.status) == ([], RunStatus.WAITING)
    assert repairs["lost message"] == 1
    assert repairs["missed"] == 0
    assert (run.status, run.error, run.attempt) == (
        RunStatus.ERROR,
        "The message that it waited for was lost",
        0,
    )
    (letter,) = world.list_sent_messages(DEAD_LETTER_QUEUE_URL)
    assert letter.attributes == {"ERROR_MESSAGE": "The message that it waited for was lost"}
    world.runner.outcome = Outcome(status=RunStatus.SUCCESS, http_status=200)
    queue = PlayedQueue(world, len(world.list_sent_messages()))
    queue.waiting.append((world.clock[0], delivery_from_message(letter, world.clock[0])))
    queue.deliver_for(minutes=1)
    assert read_run(world, schedule).status is RunStatus.SUCCESS


def test_message_that_comes_after_all_is_a_duplicate(world: World, schedule: Schedule) -> None:
    wait_for_capacity(world, schedule)
    queue = PlayedQueue(world)
    run_sweep(world)

    queue.collect_messages()
    results = queue.deliver_for(minutes=16)

    assert [result.reason for result in results] == [SkipReason.DUPLICATE]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(7.24, (RunStatus.WAITING, 0)), (7.5, (RunStatus.ERROR, 1))],
    ids=["its message may still come", "its message is overdue"],
)
def test_a_run_that_still_waits_is_looked_at_again(
    world: World, schedule: Schedule, hours: float, expected: tuple[RunStatus, int]
) -> None:
    """Its time is checked long before its message is overdue, even by a clock that differs, and must not count."""
    wait_for_capacity(world, schedule)
    PlayedQueue(world).deliver_for(hours=5)
    assert sweep(world.services, timedelta())["lost message"] == 0
    not_before = read_run(world, schedule).not_before
    assert not_before is not None
    world.clock[0] = not_before + timedelta(hours=6, minutes=30)
    sweep(world.services, timedelta())  # past the time of the check: 19:15
    first_lost = sweep(world.services, timedelta())["lost message"]
    world.clock[0] = not_before + timedelta(hours=hours)

    sweep(world.services, timedelta())
    sweep(world.services, timedelta())

    run = read_run(world, schedule)
    letters = world.list_sent_messages(DEAD_LETTER_QUEUE_URL)
    assert first_lost == 0
    assert (run.status, len(letters)) == expected


def test_run_of_a_disabled_schedule_is_ended_as_well(world: World, schedule: Schedule) -> None:
    wait_for_capacity(world, schedule)
    update_schedule(world.services, schedule.install_id, schedule.id, update_input(enabled=False))

    assert run_sweep(world)["lost message"] == 1
    assert run_sweep(world)["lost message"] == 0
    assert read_run(world, schedule).status is RunStatus.ERROR
