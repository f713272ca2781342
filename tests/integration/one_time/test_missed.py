"""A one-time schedule whose time passes without a delivery."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Limits
from scheduling.domain.runs import Outcome, RunStatus, SkipReason
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.maintenance.sweep import sweep
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule
from scheduling.operations.sync.converge import converge
from scheduling.operations.sync.optimistic_writes import write_schedule

from tests.integration.maintenance.sweeps import DAY, list_history, run_sweep
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.fires import create_fire, execute_fire, fire_one_time
from tests.support.stacks.world import ADMIN, TENANT, FakeRunner, World, create_input, new_world, update_input

TIME = "2026-11-23T10:00:00Z"
PAUSED = "Its install was disabled, or its tenant paused, at its time"


@pytest.fixture
def world() -> Iterator[World]:
    """A world in which an occurrence is missed after a quarter past seven hours."""
    with new_world(Limits(writes_per_minute=1000, max_wait_hours=6)) as world:
        yield world


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    sweep(world.services, DAY)
    return create_schedule(world.services, install_id, create_input(cron="at(2026-11-23T10:00)", name="once"))


def read(world: World, schedule: Schedule) -> Schedule:
    return get_schedule(world.services, schedule.install_id, schedule.id)


def pause_tenant(world: World, _install_id: InstallId) -> None:
    set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)


def resume_tenant(world: World, _install_id: InstallId) -> None:
    set_tenant_paused(world.services, TENANT, paused=False, actor=ADMIN)


def disable_install(world: World, install_id: InstallId) -> None:
    set_install_enabled(world.services, install_id, enabled=False, actor=ADMIN)


def enable_install(world: World, install_id: InstallId) -> None:
    set_install_enabled(world.services, install_id, enabled=True, actor=ADMIN)


@pytest.mark.parametrize(
    ("stop", "resume"),
    [(pause_tenant, resume_tenant), (disable_install, enable_install)],
    ids=["tenant paused", "install disabled"],
)
def test_a_pause_over_its_time_leaves_it_missed_with_the_reason(
    world: World,
    schedule: Schedule,
    stop: Callable[[World, InstallId], None],
    resume: Callable[[World, InstallId], None],
) -> None:
    stop(world, schedule.install_id)
    world.advance(hours=2)
    resume(world, schedule.install_id)

    (run,) = list_history(world, schedule)
    assert (run.scheduled_time, run.status, run.error) == (TIME, RunStatus.MISSED, PAUSED)
    assert read(world, schedule).completed
    assert_consistent(world)


def test_a_pause_that_ends_before_its_time_misses_nothing(world: World, schedule: Schedule) -> None:
    pause_tenant(world, schedule.install_id)
    world.advance(minutes=30)
    resume_tenant(world, schedule.install_id)

    assert list_history(world, schedule) == []
    assert read(world, schedule).definition.enabled
    assert_consistent(world)


def test_the_sweep_records_it_while_the_pause_goes_on(world: World, schedule: Schedule) -> None:
    pause_tenant(world, schedule.install_id)
    assert run_sweep(world)["missed"] == 1
    (run,) = list_history(world, schedule)
    assert (run.status, run.error) == (RunStatus.MISSED, PAUSED)
    resume_tenant(world, schedule.install_id)
    assert read(world, schedule).completed
    assert len(list_history(world, schedule)) == 1
    assert_consistent(world)


def test_an_occurrence_between_its_attempts_is_not_missed_by_a_pause(
    world: World, schedule: Schedule
) -> None:
    world.runner.outcome = Outcome(
        status=RunStatus.ERROR, http_status=503, error="The extension answered 503", retryable=True
    )
    execute_fire(world.services, world.runner, fire_one_time(world, schedule))
    pause_tenant(world, schedule.install_id)
    resume_tenant(world, schedule.install_id)

    (run,) = list_history(world, schedule)
    assert run.status is RunStatus.ERROR
    assert read(world, schedule).definition.enabled


def test_an_occurrence_delivered_during_a_pause_is_skipped(world: World, schedule: Schedule) -> None:
    fire = fire_one_time(world, schedule)
    pause_tenant(world, schedule.install_id)

    assert execute_fire(world.services, world.runner, fire) is SkipReason.DISABLED

    resume_tenant(world, schedule.install_id)
    (run,) = list_history(world, schedule)
    assert run.status is RunStatus.SKIPPED
    assert read(world, schedule).completed
    assert_consistent(world)


def test_a_lost_delivery_is_missed_once_nothing_can_come(world: World, schedule: Schedule) -> None:
    fire_one_time(world, schedule)
    world.clock[0] = datetime(2026, 11, 23, 10, 0, tzinfo=UTC) + timedelta(hours=7)
    sweep(world.services, timedelta())
    assert read(world, schedule).definition.enabled

    assert run_sweep(world)["missed"] == 1

    (run,) = list_history(world, schedule)
    assert (run.status, run.error) == (RunStatus.MISSED, "It was not delivered")
    assert read(world, schedule).completed
    assert run_sweep(world) == {}
    assert_consistent(world)


def test_a_missed_one_that_is_delivered_later_runs(world: World, schedule: Schedule) -> None:
    fire = fire_one_time(world, schedule)
    run_sweep(world)
    execute_fire(world.services, world.runner, fire)

    (run,) = list_history(world, schedule)
    assert run.status is RunStatus.SUCCESS
    assert read(world, schedule).completed
    assert_consistent(world)


def test_a_function_that_dies_completes_it_by_the_sweep(world: World, schedule: Schedule) -> None:
    class Dying(FakeRunner):
        def __call__(self, _execution: object) -> Outcome:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute_fire(world.services, Dying(), fire_one_time(world, schedule))

    assert run_sweep(world)["expired run"] == 1

    (run,) = list_history(world, schedule)
    assert (run.status, run.error) == (RunStatus.ERROR, "The function that ran it died")
    assert read(world, schedule).completed
    assert_consistent(world)


def test_a_retry_whose_message_is_lost_completes_it_by_the_sweep(world: World, schedule: Schedule) -> None:
    world.runner.outcome = Outcome(
        status=RunStatus.ERROR, http_status=503, error="The extension answered 503", retryable=True
    )
    execute_fire(world.services, world.runner, fire_one_time(world, schedule))

    run_sweep(world)

    assert read(world, schedule).completed
    assert len(list_history(world, schedule)) == 1
    assert_consistent(world)


def test_no_timer_is_made_for_a_time_that_has_passed_and_none_is_missed(
    world: World, schedule: Schedule
) -> None:
    fire_one_time(world, schedule)
    pending = read(world, schedule).marked_pending(world.clock[0])
    write_schedule(world.services, schedule, pending)
    world.advance(minutes=5)

    assert reconcile(world.services).synced == 1
    assert world.read_timers() == {}
    assert sweep(world.services, DAY) == {}
    assert world.read_timers() == {}


def test_a_timer_about_to_fire_is_left_to_fire(world: World, schedule: Schedule) -> None:
    world.clock[0] = datetime(2026, 11, 23, 10, 0, 5, tzinfo=UTC)
    pending = read(world, schedule).marked_pending(world.clock[0])
    write_schedule(world.services, schedule, pending)
    converge(world.services, pending)
    assert list(world.read_timers()) == [schedule.id]


def test_a_disabled_one_stays_its_owners(world: World, schedule: Schedule) -> None:
    update_schedule(world.services, schedule.install_id, schedule.id, update_input(enabled=False))
    assert run_sweep(world) == {}
    disabled = read(world, schedule)
    assert (disabled.definition.enabled, disabled.disabled_reason) == (False, None)
    assert list_history(world, schedule) == []


def test_a_lingering_timer_of_a_completed_one_is_deleted(world: World, schedule: Schedule) -> None:
    world.clock[0] = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    execute_fire(world.services, world.runner, create_fire(schedule, TIME))
    assert run_sweep(world) == {"unwanted timer": 1}
    assert_consistent(world)


def test_a_timer_that_does_not_delete_itself_is_repaired(world: World, install_id: InstallId) -> None:
    sweep(world.services, DAY)
    later = create_input(cron="at(2026-11-26T10:00)")
    schedule = create_schedule(world.services, install_id, later)
    hourly = replace(schedule, definition=replace(schedule.definition, cron="0 * * * *"))
    world.services.timers.put_timer(hourly, exists=True)
    assert run_sweep(world)["different timer"] == 1
    assert world.read_timers()[schedule.id]["ActionAfterCompletion"] == "DELETE"
