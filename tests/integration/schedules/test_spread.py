"""The spread of a schedule in its row and its timer, and of what runs or is missed within it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from scheduling.domain.exact_json import Number
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Limits
from scheduling.domain.requests.idempotency import IdempotencyKey
from scheduling.domain.runs import Run, RunStatus, SkipReason
from scheduling.domain.schedule import Schedule
from scheduling.operations.maintenance.missed import record_missed_runs
from scheduling.operations.maintenance.sweep import sweep
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.integration.maintenance.sweeps import DAY, run_sweep
from tests.support.oracles.audit import Audit
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.fires import create_fire, execute_fire, list_history
from tests.support.stacks.world import ADMIN, GROUP, START, World, aws_client, create_input, update_input

OFF = {"Mode": "OFF"}
HOURLY = "0 * * * *"


def flexible(minutes: int) -> Mapping[str, Any]:
    return {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": minutes}


def read_window(schedule: Schedule) -> Mapping[str, Any]:
    timer = aws_client("scheduler").get_schedule(GroupName=GROUP, Name=schedule.id)
    return dict(timer["FlexibleTimeWindow"])


def set_default(world: World, minutes: int) -> None:
    limits = Limits(default_spread_minutes=minutes, max_wait_hours=6, writes_per_minute=1000)
    world.services = replace(world.services, limits=limits)


def create(world: World, install_id: InstallId, **fields: Any) -> Schedule:
    return create_schedule(world.services, install_id, create_input(**{"cron": HOURLY, **fields}))


def spread(minutes: int) -> dict[str, Any]:
    return {"spreadMinutes": Number(str(minutes))}


@pytest.mark.parametrize("world", ["moto", "memory"], indirect=True)
def test_a_spread_is_the_window_of_the_timer(world: World, install_id: InstallId, audit: Audit) -> None:
    schedule = create(world, install_id, **spread(15))
    assert (read_window(schedule), schedule.definition.spread_minutes) == (flexible(15), 15)
    assert schedule.next_fire == "2026-11-23T10:00:00Z"

    for fields, window in (({"spreadMinutes": None}, OFF), (spread(30), flexible(30)), (spread(0), OFF)):
        updated = update_schedule(
            world.services, install_id, schedule.id, update_input(**fields), actor=ADMIN
        )
        assert (read_window(schedule), updated.timer_since) == (window, START)
        assert not get_schedule(world.services, install_id, schedule.id).pending
    assert_consistent(world)
    created, *updates = audit.publish_new_events()
    assert created.detail["after"]["spreadMinutes"] == 15
    assert [event.detail["after"]["spreadMinutes"] for event in updates] == [None, 30, 0]


def test_a_timer_is_changed_with_the_default_as_far_as_its_rule_allows(
    world: World, install_id: InstallId
) -> None:
    schedules = [
        create(world, install_id),
        create(world, install_id, cron="*/10 * * * *"),
        create(world, install_id, **spread(0)),
        create(world, install_id, **spread(30)),
    ]
    sweep(world.services, DAY)
    set_default(world, 15)

    assert run_sweep(world)["different timer"] == 2
    assert list(map(read_window, schedules)) == [flexible(15), flexible(9), OFF, flexible(30)]
    assert run_sweep(world)["different timer"] == 0
    assert read_window(create(world, install_id)) == flexible(15)


def test_a_repeated_create_returns_the_spread(world: World, install_id: InstallId) -> None:
    key = IdempotencyKey("key", "hash")
    for _ in range(2):
        input_ = create_input(cron=HOURLY, **spread(15))
        schedule = create_schedule(world.services, install_id, input_, key)
        assert schedule.definition.spread_minutes == 15


def test_an_occurrence_named_by_a_time_within_its_window_runs_once(
    world: World, install_id: InstallId
) -> None:
    schedule = create(world, install_id, **spread(15))
    world.advance(hours=1, minutes=7)

    result = execute_fire(world.services, world.runner, create_fire(schedule, "2026-11-23T10:07:13Z"))
    again = execute_fire(world.services, world.runner, create_fire(schedule, "2026-11-23T10:00:00Z"))

    assert isinstance(result, Run)
    assert (result.scheduled_time, result.status) == ("2026-11-23T10:00:00Z", RunStatus.SUCCESS)
    assert result.started_at == START + timedelta(hours=1, minutes=7)
    assert again is SkipReason.DUPLICATE
    assert [run.scheduled_time for run in list_history(world, schedule)] == ["2026-11-23T10:00:00Z"]
    assert [fire.scheduled_time for fire in world.runner.fires] == ["2026-11-23T10:00:00Z"]


@pytest.mark.parametrize("cron", ["0 10 * * *", "at(2026-11-23T10:00)"], ids=["recurring", "one-time"])
def test_an_occurrence_is_missed_after_its_window(world: World, install_id: InstallId, cron: str) -> None:
    set_default(world, 60)
    schedule = create(world, install_id, cron=cron)
    missed_at = START + timedelta(hours=1) + timedelta(hours=1) + timedelta(hours=7, minutes=15)

    for now, count in ((missed_at - timedelta(minutes=1), 0), (missed_at, 1)):
        world.clock[0] = now
        current = get_schedule(world.services, install_id, schedule.id)
        record_missed_runs(world.services, current, Counter())
        assert len(list_history(world, schedule)) == count
    (run,) = list_history(world, schedule)
    assert (run.status, run.scheduled_time) == (RunStatus.MISSED, "2026-11-23T10:00:00Z")
