"""Failures in a row: what counts as one, what the reads show of them, and the pause after too many."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from scheduling.domain.errors import RulesViolated
from scheduling.domain.exact_json import Number
from scheduling.domain.ids import HOST_API, InstallId
from scheduling.domain.install import Limits
from scheduling.domain.runs import EXTENSION_FAILED, Fire, Outcome, RunStatus, format_time
from scheduling.domain.schedule import PAUSED_AFTER_FAILURES, Schedule
from scheduling.domain.views import schedule_fields
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.runs.run_now import run_now
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.oracles.audit import Audit
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.fires import PlayedQueue, create_fire, execute_fire
from tests.support.stacks.world import (
    ADMIN,
    START,
    World,
    create_input,
    on_moto_and_memory,
    once_on_moto,
    update_input,
)

pytestmark = on_moto_and_memory

SUCCEEDED = Outcome(status=RunStatus.SUCCESS, http_status=200)
REFUSED = Outcome(status=RunStatus.ERROR, http_status=404, error="The extension answered 404")
FAILED = Outcome(status=RunStatus.ERROR, http_status=500, error="The extension answered 500", retryable=True)
CRASHED = Outcome(
    status=RunStatus.ERROR, error="execute_failed: trap", retryable=True, runner_error=EXTENSION_FAILED
)
UNREADABLE_ANSWER = Outcome(status=RunStatus.ERROR, error="The runner's answer is not understood")
OUTCOMES: Mapping[str, tuple[Outcome, int]] = {
    "the extension's 404": (REFUSED, 1),
    "the extension's 500": (FAILED, 1),
    "the extension's trap": (CRASHED, 1),
    "no answer": (
        Outcome(status=RunStatus.ERROR, error="no answer", retryable=True, runner_error="no_response"),
        1,
    ),
    "an answer that is not understood": (UNREADABLE_ANSWER, 1),
    "the runner's 401": (
        Outcome(status=RunStatus.ERROR, error="The runner answered 401", retryable=True, runner_status=401),
        0,
    ),
    "the runner's bundle": (
        Outcome(
            status=RunStatus.ERROR,
            error="bundle_fetch_failed",
            retryable=True,
            runner_error="bundle_fetch_failed",
        ),
        0,
    ),
    "a host that is not found": (
        Outcome(status=RunStatus.ERROR, error="no host", retryable=True, runner_error="unresolved_host"),
        0,
    ),
    "a runner without capacity": (
        Outcome(status=RunStatus.ERROR, error="busy", retryable=True, retry_after=timedelta()),
        0,
    ),
}


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    return create_schedule(world.services, install_id, create_input())


def hourly_fire(schedule: Schedule, number: int) -> Fire:
    return create_fire(schedule, format_time(START + timedelta(hours=number)))


def run_hour(world: World, schedule: Schedule, number: int, outcome: Outcome) -> None:
    """Run the occurrence of that hour with all of its attempts, as long as the runner answers so."""
    world.runner.outcome = outcome
    world.clock[0] = max(world.clock[0], START + timedelta(hours=number))
    execute_fire(world.services, world.runner, hourly_fire(schedule, number))
    PlayedQueue(world).deliver_for(minutes=10)


def read(world: World, schedule: Schedule) -> Schedule:
    return get_schedule(world.services, schedule.install_id, schedule.id)


def limited(world: World, limit: int) -> None:
    world.services = replace(world.services, limits=Limits(pause_after_failures=limit))


@pytest.mark.parametrize("case", OUTCOMES)
def test_only_what_failed_for_good_by_the_extensions_fault_counts(
    world: World, schedule: Schedule, case: str
) -> None:
    outcome, count = OUTCOMES[case]

    run_hour(world, schedule, 0, outcome)

    assert read(world, schedule).consecutive_failures == count


def test_failures_in_a_row_are_shown_and_a_success_ends_them(world: World, schedule: Schedule) -> None:
    for number in range(2):
        run_hour(world, schedule, number, REFUSED)
    fields = schedule_fields(read(world, schedule))
    assert (fields["consecutiveFailures"], fields["lastSuccessAt"]) == (2, None)

    run_hour(world, schedule, 2, SUCCEEDED)

    fields = schedule_fields(read(world, schedule))
    assert (fields["consecutiveFailures"], fields["lastSuccessAt"]) == (0, "2026-11-23T11:00:00.000Z")
    run_hour(world, schedule, 3, REFUSED)
    fields = schedule_fields(read(world, schedule))
    assert (fields["consecutiveFailures"], fields["lastSuccessAt"]) == (1, "2026-11-23T11:00:00.000Z")


def test_an_occurrence_counts_once_however_often_it_is_delivered_or_replayed(
    world: World, schedule: Schedule
) -> None:
    run_hour(world, schedule, 0, FAILED)
    for _ in range(2):
        execute_fire(world.services, world.runner, hourly_fire(schedule, 0))
        execute_fire(world.services, world.runner, replace(hourly_fire(schedule, 0), replay=True))

    assert read(world, schedule).consecutive_failures == 1


def test_by_default_nothing_is_ever_paused(world: World, schedule: Schedule) -> None:
    for number in range(5):
        run_hour(world, schedule, number, REFUSED)

    assert (read(world, schedule).definition.enabled, read(world, schedule).consecutive_failures) == (True, 5)


def test_too_many_failures_in_a_row_pause_the_schedule(
    world: World, schedule: Schedule, audit: Audit
) -> None:
    limited(world, 3)
    for number in range(2):
        run_hour(world, schedule, number, REFUSED)
    assert read(world, schedule).definition.enabled
    audit.publish_new_events()

    run_hour(world, schedule, 2, FAILED)

    paused = read(world, schedule)
    fields = schedule_fields(paused)
    assert (fields["enabled"], fields["disabledReason"]) == (False, PAUSED_AFTER_FAILURES)
    assert (fields["pending"], fields["consecutiveFailures"]) == (True, 3)
    assert paused.revision == schedule.revision + 1
    names = [str(event) for event in audit.publish_new_events()]
    assert "SchedulePaused by system" in names
    assert "ScheduleUpdated by system" not in names


def test_the_reconciler_removes_the_timer_of_a_paused_schedule_and_what_it_fires_is_not_run(
    world: World, schedule: Schedule
) -> None:
    limited(world, 1)
    run_hour(world, schedule, 0, REFUSED)
    executions = len(world.runner.executions)
    world.clock[0] = START + timedelta(hours=1)
    execute_fire(world.services, world.runner, hourly_fire(schedule, 1))
    assert len(world.runner.executions) == executions

    reconcile(world.services)

    assert world.read_timers() == {}
    assert not read(world, schedule).pending
    assert_consistent(world)


def test_enabling_starts_the_count_anew(world: World, schedule: Schedule) -> None:
    limited(world, 2)
    for number in range(2):
        run_hour(world, schedule, number, REFUSED)
    world.advance(minutes=2)
    update_schedule(world.services, schedule.install_id, schedule.id, update_input(enabled=True))

    enabled = read(world, schedule)
    assert (enabled.definition.enabled, enabled.disabled_reason) == (True, None)
    assert enabled.consecutive_failures == 0
    run_hour(world, enabled, 3, REFUSED)
    assert read(world, schedule).definition.enabled


def test_a_manual_run_that_succeeds_ends_the_row(world: World, schedule: Schedule) -> None:
    limited(world, 2)
    run_hour(world, schedule, 0, REFUSED)
    world.runner.outcome = SUCCEEDED
    queue = PlayedQueue(world)
    send_fire = world.services.queue.send_fire
    run_now(world.services, send_fire, schedule.install_id, schedule.id, None, actor=ADMIN)
    queue.deliver_for(minutes=1)

    run_hour(world, schedule, 1, REFUSED)

    assert read(world, schedule).consecutive_failures == 1


def test_a_schedules_own_limit_takes_precedence(world: World, install_id: InstallId) -> None:
    limited(world, 1)
    fields: dict[str, Any] = {"pauseAfterFailures": Number("0")}
    never = create_schedule(world.services, install_id, create_input(**fields), actor=ADMIN)

    run_hour(world, never, 0, REFUSED)

    assert read(world, never).definition.enabled
    assert schedule_fields(read(world, never))["pauseAfterFailures"] == 0


@once_on_moto
@pytest.mark.parametrize(
    ("stack_limit", "value", "actor", "error"),
    [
        (0, Number("3"), HOST_API, None),
        (0, Number("0"), HOST_API, None),
        (5, Number("4"), HOST_API, None),
        (5, None, HOST_API, None),
        (5, Number("0"), HOST_API, "pauseAfterFailures must be from 1 to 5, the stack's limit"),
        (5, Number("6"), HOST_API, "pauseAfterFailures must be from 1 to 5, the stack's limit"),
        (5, Number("0"), ADMIN, None),
        (5, Number("1000"), ADMIN, None),
        (0, Number("1001"), ADMIN, "pauseAfterFailures must be null or a whole number from 0 to 1000"),
        (0, Number("1.0"), HOST_API, "pauseAfterFailures must be null or a whole number from 0 to 1000"),
        (0, Number("-1"), HOST_API, "pauseAfterFailures must be null or a whole number from 0 to 1000"),
        (0, True, HOST_API, "pauseAfterFailures must be null or a whole number from 0 to 1000"),
        (0, "3", HOST_API, "pauseAfterFailures must be null or a whole number from 0 to 1000"),
    ],
    ids=str,
)
def test_an_extension_may_only_lower_a_stacks_limit(
    world: World, install_id: InstallId, stack_limit: int, value: object, actor: str, error: str | None
) -> None:
    limited(world, stack_limit)

    def create() -> Schedule:
        fields: dict[str, Any] = {"pauseAfterFailures": value}
        return create_schedule(world.services, install_id, create_input(**fields), actor=actor)

    if error is None:
        created = create()
        text = value.text if isinstance(value, Number) else None
        assert created.definition.pause_after_failures == (int(text) if text else None)
        return
    with pytest.raises(RulesViolated) as refused:
        create()
    assert refused.value.field_errors == {"pauseAfterFailures": error}
