"""What the sweep records in the history: missed occurrences, and runs whose function has died."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from scheduling.domain.deliveries.waiting import missed_after
from scheduling.domain.errors import Conflict
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Limits
from scheduling.domain.runs import Outcome, Run, RunStatus, format_time
from scheduling.operations.maintenance.sweep import sweep
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule
from scheduling.store.keys import run_key

from tests.integration.maintenance.sweeps import DAY, create_fire, list_history, run_sweep
from tests.support.stacks.fires import PlayedQueue, execute_fire
from tests.support.stacks.world import (
    START,
    TABLE,
    FakeRunner,
    World,
    aws_client,
    create_input,
    new_world,
    update_input,
)


@pytest.fixture
def world() -> Iterator[World]:
    """A world in which an occurrence is missed after a quarter past seven hours."""
    with new_world(Limits(writes_per_minute=1000, max_wait_hours=6)) as world:
        yield world


@pytest.fixture(autouse=True)
def plan_first_sweep(world: World) -> None:
    sweep(world.services, DAY)


def test_a_gap_in_the_history_is_recorded_once(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(cron="0 */6 * * *"))
    execute_fire(world.services, world.runner, create_fire(schedule, "2026-11-23T18:00:00Z"))

    assert run_sweep(world)["missed"] == 2
    assert run_sweep(world)["missed"] == 4

    runs = {run.scheduled_time: run for run in list_history(world, schedule)}
    assert [time for time, run in runs.items() if run.status is RunStatus.SUCCESS] == ["2026-11-23T18:00:00Z"]
    missed = runs["2026-11-23T12:00:00Z"]
    assert (missed.status, missed.attempt, missed.error) == (RunStatus.MISSED, 0, "It was not delivered")


def test_time_that_counts_as_checked_remains_so_when_occurrences_may_wait_longer(
    world: World, install_id: InstallId
) -> None:
    create_schedule(world.services, install_id, create_input(cron="0 */6 * * *"))
    assert run_sweep(world)["missed"] > 0
    limits = replace(world.services.limits, max_wait_hours=72)

    assert run_sweep(replace(world, services=replace(world.services, limits=limits))) == {}


def test_late_occurrence_recorded_as_missed_still_runs(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(cron="0 12 * * *"))
    run_sweep(world)

    result = execute_fire(world.services, world.runner, create_fire(schedule, "2026-11-23T12:00:00Z"))

    assert isinstance(result, Run)
    assert (result.status, result.attempt) == (RunStatus.SUCCESS, 1)


def test_recent_occurrence_is_not_missed(world: World, install_id: InstallId) -> None:
    world.advance(hours=24, minutes=46)
    schedule = create_schedule(world.services, install_id, create_input(cron="0 10 * * *"))

    world.advance(hours=7, minutes=28)
    sweep(world.services, DAY)

    assert list_history(world, schedule) == []


@pytest.mark.parametrize(
    ("lead_seconds", "missed"),
    [
        pytest.param(61, 1, id="the timer had time to take effect"),
        pytest.param(60, 0, id="exactly the delay"),
        pytest.param(30, 0, id="the timer is too new"),
    ],
)
def test_occurrence_right_after_the_timer_was_created_is_not_missed(
    world: World, install_id: InstallId, lead_seconds: float, missed: int
) -> None:
    world.advance(hours=1, seconds=-lead_seconds)
    create_schedule(world.services, install_id, create_input(cron="0 10 * * *"))

    assert run_sweep(world)["missed"] == missed


def test_what_ran_by_another_clock_is_not_missed(world: World, install_id: InstallId) -> None:
    """EventBridge has another rule of the zone's clock: it fires an hour early, with the same timer."""
    schedule = create_schedule(
        world.services, install_id, create_input(cron="0 15,16 * * *", timezone="Europe/Berlin")
    )
    for time in ("2026-11-23T13:00:00Z", "2026-11-23T14:00:00Z"):
        execute_fire(world.services, world.runner, create_fire(schedule, time))

    assert run_sweep(world)["missed"] == 0
    assert len(list_history(world, schedule)) == 2


def test_a_run_by_another_clock_stands_for_one_occurrence(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(cron="0 15,17 * * *"))
    execute_fire(world.services, world.runner, create_fire(schedule, "2026-11-23T16:00:00Z"))

    assert run_sweep(world)["missed"] == 1

    times = [(run.scheduled_time[11:13], run.status) for run in list_history(world, schedule)]
    assert times == [("17", RunStatus.MISSED), ("16", RunStatus.SUCCESS)]


@pytest.mark.parametrize(
    ("attempts", "missed"),
    [
        pytest.param({"16:00": 1}, 0, id="an attempt"),
        pytest.param({"16:00": 0}, 1, id="skipped"),
        pytest.param({"14:30": 0, "16:00": 1}, 0, id="an attempt behind what was skipped"),
    ],
)
def test_only_an_attempt_at_another_time_stands_for_an_occurrence(
    world: World, install_id: InstallId, attempts: dict[str, int], missed: int
) -> None:
    """What was skipped at a time that the rule does not have may be a fire of an earlier rule."""
    schedule = create_schedule(world.services, install_id, create_input(cron="0 15 * * *"))
    for time, attempt in attempts.items():
        run = Run(
            scheduled_time=f"2026-11-23T{time}:00Z",
            status=RunStatus.ERROR if attempt else RunStatus.SKIPPED,
            attempt=attempt,
            started_at=world.clock[0],
        )
        world.services.runs.record_run(schedule, run)

    assert run_sweep(world)["missed"] == missed


def test_run_before_the_present_rule_stands_for_nothing(world: World, install_id: InstallId) -> None:
    world.advance(hours=-1)
    schedule = create_schedule(world.services, install_id, create_input(cron="59 8 * * *"))
    world.advance(minutes=59)
    execute_fire(world.services, world.runner, create_fire(schedule, "2026-11-23T08:59:00Z"))
    world.advance(minutes=1)
    schedule = update_schedule(world.services, install_id, schedule.id, update_input(cron="29 9 * * *"))

    assert run_sweep(world)["missed"] == 1


@pytest.mark.parametrize("how", ["schedule", "install"])
def test_disabled_schedule_misses_nothing(world: World, install_id: InstallId, how: str) -> None:
    schedule = create_schedule(world.services, install_id, create_input(cron="0 */6 * * *"))
    if how == "schedule":
        update_schedule(world.services, install_id, schedule.id, update_input(enabled=False))
        world.advance(hours=10)
        schedule = update_schedule(world.services, install_id, schedule.id, update_input(enabled=True))
    else:
        world.register_install(install_id, enabled=False)
        world.advance(hours=10)
        world.register_install(install_id)

    run_sweep(world)

    times = sorted(run.scheduled_time for run in list_history(world, schedule))
    assert times[0] == "2026-11-24T00:00:00Z"


def test_after_a_change_the_new_rule_counts(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(cron="0 */6 * * *"))
    update_schedule(world.services, install_id, schedule.id, update_input(cron="0 23 * * *"))

    run_sweep(world)

    assert [run.scheduled_time for run in list_history(world, schedule)] == ["2026-11-23T23:00:00Z"]


class KillingRunner(FakeRunner):
    def __call__(self, *_arguments: object) -> Outcome:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("early", "closed"),
    [(timedelta(seconds=1), 0), (timedelta(), 1)],
    ids=["its message may still come", "no message can come"],
)
def test_run_of_killed_function_is_closed_once_nothing_takes_it_over(
    world: World, install_id: InstallId, early: timedelta, closed: int
) -> None:
    world.advance(hours=24)
    schedule = create_schedule(world.services, install_id, create_input(cron="0 0 1 1 *"))
    with pytest.raises(KeyboardInterrupt):
        execute_fire(world.services, KillingRunner(), create_fire(schedule, "2026-11-24T09:00:00Z"))
    world.clock[0] += world.services.lease + missed_after(world.services.limits) - early

    assert sweep(world.services, DAY)["expired run"] == closed


def test_run_of_killed_function_is_closed(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(cron="0 0 1 1 *"))

    with pytest.raises(KeyboardInterrupt):
        execute_fire(world.services, KillingRunner(), create_fire(schedule, "2026-11-23T09:00:00Z"))

    assert run_sweep(world)["expired run"] == 1

    (run,) = list_history(world, schedule)
    assert (run.status, run.error) == (RunStatus.ERROR, "The function that ran it died")


def test_replay_runs_once_more_but_never_after_success(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    fire = create_fire(schedule, "2026-11-23T09:00:00Z")
    replay = replace(fire, replay=True)
    world.runner.outcome = Outcome(status=RunStatus.ERROR, http_status=500, error="no", retryable=True)
    execute_fire(world.services, world.runner, fire)
    PlayedQueue(world).deliver_for(minutes=10)
    world.runner.outcome = Outcome(status=RunStatus.SUCCESS, http_status=200)

    execute_fire(world.services, world.runner, replay)
    execute_fire(world.services, world.runner, replay)

    assert len(world.runner.fires) == 4
    (run,) = list_history(world, schedule)
    assert (run.status, run.attempt) == (RunStatus.SUCCESS, 4)


def test_old_history_adds_no_cost(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(cron="0 0 * * *"))
    run_sweep(world)

    def count_calls() -> list[str]:
        world.calls.recorded.clear()
        run_sweep(world)
        return world.calls.operation_names()

    without = count_calls()
    for day in range(1, 29):
        at = f"2026-10-{day:02}T09:00:00Z"
        run = Run(scheduled_time=at, status=RunStatus.SUCCESS, attempt=1, started_at=world.clock[0])
        world.services.runs.record_run(schedule, run)

    assert count_calls() == without
    assert "Scan" not in without


def test_history_is_checked_once_and_from_there_on(world: World, install_id: InstallId) -> None:
    """What expires from the history after it has been checked is not missed."""
    schedule = create_schedule(world.services, install_id, create_input(cron="0 */6 * * *"))
    assert run_sweep(world)["missed"] == 3
    checked_until = world.clock[0] - missed_after(world.services.limits)
    assert get_schedule(world.services, install_id, schedule.id).checked_until == checked_until
    table = aws_client("dynamodb")
    for run in list_history(world, schedule):
        key = run_key(install_id, schedule.id, run.scheduled_time)
        table.delete_item(TableName=TABLE, Key={"pk": {"S": key["hash_key"]}, "sk": {"S": key["range_key"]}})

    assert run_sweep(world)["missed"] == 4

    assert min(run.scheduled_time for run in list_history(world, schedule)) > format_time(checked_until)


def test_what_is_checked_of_an_earlier_rule_is_not_saved_for_a_new_one(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    update_schedule(world.services, install_id, schedule.id, update_input(cron="5 * * * *"))

    with pytest.raises(Conflict):
        world.services.sweeps.save_checked_until(schedule, world.clock[0])

    assert get_schedule(world.services, install_id, schedule.id).checked_until is None


@pytest.mark.parametrize("world", ["memory"], indirect=True)
def test_a_sweep_checks_2000_occurrences_of_a_schedule(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(cron="*/5 * * * *"))
    world.advance(minutes=5 * 2_003 + 1, hours=7, seconds=15 * 60 - 25 * 3600)

    assert run_sweep(world)["missed"] == 2_000

    first, last = START + timedelta(minutes=5), START + 2_000 * timedelta(minutes=5)
    assert get_schedule(world.services, install_id, schedule.id).checked_until == last
    assert run_sweep(world)["missed"] == 3 + 25 * 12
    history = list_history(world, schedule)
    assert len({run.scheduled_time for run in history}) == len(history)
    assert world.services.runs.read_recorded_runs(schedule, format_time(START), format_time(last)).times == {
        format_time(first + number * timedelta(minutes=5)) for number in range(2_000)
    }
