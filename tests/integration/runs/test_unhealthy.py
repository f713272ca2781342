"""The index of schedules that fail or wait: who is in it, and that only a change of that writes it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.store.schedule_items.unhealthy import read_unhealthy_schedules

from tests.support.stacks.admin_cli import build_fire_at
from tests.support.stacks.fires import execute_fire
from tests.support.stacks.world import TABLE, World, create_input

ONE = InstallId("install-1")
SUCCESS = Outcome(status=RunStatus.SUCCESS, http_status=200)
FAILURE = Outcome(status=RunStatus.ERROR, http_status=404, error="no")
REFUSAL = Outcome(status=RunStatus.ERROR, runner_status=401, error="refused", retryable=True)
NO_CAPACITY = Outcome(status=RunStatus.WAITING, error="busy", retry_after=timedelta())


@pytest.fixture
def schedule(world: World) -> Schedule:
    return create_schedule(world.services, world.register_install(ONE), create_input(name="hourly"))


def fire(world: World, schedule: Schedule, *outcomes: Outcome) -> None:
    """Make one attempt an hour, with these outcomes."""
    for outcome in outcomes:
        world.runner.outcome = outcome
        execute_fire(world.services, world.runner, build_fire_at(world, schedule, world.clock[0].hour + 1))


def index_keys(world: World) -> Sequence[tuple[Any, ...]]:
    """Return each value that the schedule's row has had in the index, in order."""
    assert world.memory
    changes = [after for _, after in world.memory.tables[TABLE].changes if after and "cron" in after]
    names = ("unhealthyShard", "unhealthySince", "waiting")
    states = [
        tuple(next(iter(row[name].values())) if name in row else None for name in names) for row in changes
    ]
    return [state for state, previous in zip(states, [None, *states], strict=False) if state != previous]


SINCE = "2026-11-23T10:00:00.000000+0000"


@pytest.mark.parametrize(
    ("outcomes", "states"),
    [
        ([SUCCESS, SUCCESS], [(None, None, None)]),
        ([FAILURE, FAILURE, FAILURE], [(None, None, None), ("S", SINCE, None)]),
        ([REFUSAL, FAILURE], [(None, None, None), ("S", SINCE, None)]),
        ([FAILURE, SUCCESS, SUCCESS], [(None, None, None), ("S", SINCE, None), (None, None, None)]),
        ([NO_CAPACITY, NO_CAPACITY], [(None, None, None), ("S", SINCE, True)]),
        ([NO_CAPACITY, SUCCESS], [(None, None, None), ("S", SINCE, True), (None, None, None)]),
        ([NO_CAPACITY, FAILURE], [(None, None, None), ("S", SINCE, True), ("S", SINCE, None)]),
    ],
    ids=["healthy", "fails", "refused", "fails and recovers", "waits", "waits and runs", "waits and fails"],
)
def test_only_a_change_of_the_state_writes_the_index(
    world: World, schedule: Schedule, outcomes: Sequence[Outcome], states: Sequence[tuple[Any, ...]]
) -> None:
    fire(world, schedule, *outcomes)
    shards = {shard for shard, _, _ in index_keys(world)} - {None}
    assert len(shards) <= 1
    assert [(shard and "S", since, waiting) for shard, since, waiting in index_keys(world)] == states


def test_unhealthy_schedules_of_all_installs_are_read_oldest_first(world: World, schedule: Schedule) -> None:
    other = create_schedule(world.services, world.register_install(InstallId("install-2")), create_input())
    healthy = create_schedule(world.services, ONE, create_input())
    for each, outcome in ((schedule, FAILURE), (other, NO_CAPACITY), (healthy, SUCCESS)):
        fire(world, each, outcome)
    unhealthy = read_unhealthy_schedules(10)
    assert [(install.id, each.id, each.waiting) for install, each in unhealthy.schedules] == [
        (ONE, schedule.id, False),
        (InstallId("install-2"), other.id, True),
    ]
    assert not unhealthy.has_more
    limited = read_unhealthy_schedules(1)
    assert ([each.id for _, each in limited.schedules], limited.has_more) == ([schedule.id], True)


def test_a_deleted_schedule_leaves_the_index(world: World, schedule: Schedule) -> None:
    fire(world, schedule, FAILURE)
    delete_schedule(world.services, ONE, schedule.id)
    assert read_unhealthy_schedules(10).schedules == []
