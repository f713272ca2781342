"""What the sweep records in the history: missed occurrences, and runs whose function has died."""

from dataclasses import replace

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, Run, RunStatus
from scheduling.operations.maintenance.sweep import sweep
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.integration.maintenance.sweeps import DAY, create_fire, list_history, run_sweep
from tests.support.stacks.fires import PlayedQueue, execute_fire
from tests.support.stacks.world import FakeRunner, World, create_input, update_input


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


def test_late_occurrence_recorded_as_missed_still_runs(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(cron="0 */6 * * *"))
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


def test_run_of_killed_function_is_closed(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(cron="0 0 1 1 *"))

    class KillingRunner(FakeRunner):
        def __call__(self, *_arguments: object) -> Outcome:
            raise KeyboardInterrupt

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
