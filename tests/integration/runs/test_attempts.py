"""The attempts at an occurrence: their number, their keys and requests, and what the history says of them."""

from dataclasses import replace

import pytest
from scheduling.domain.errors import RunFailed
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, RunStatus, SkipReason
from scheduling.domain.schedule import Schedule
from scheduling.operations.runs.execute import execute_fire
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule

from tests.support.stacks.fires import create_fire, list_history
from tests.support.stacks.world import World, create_input, on_moto_and_memory

pytestmark = on_moto_and_memory

FAILED = Outcome(status=RunStatus.ERROR, http_status=503, error="The extension answered 503", retryable=True)
UNANSWERED = Outcome(status=RunStatus.ERROR, error="The runner did not answer within 60 s", retryable=True)


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    return create_schedule(world.services, install_id, create_input())


def test_transient_failure_is_attempted_at_most_three_times(world: World, schedule: Schedule) -> None:
    world.runner.outcome = FAILED
    for _ in range(3):
        with pytest.raises(RunFailed, match=r"Attempt . failed"):
            execute_fire(world.services, world.runner, create_fire(schedule))

    assert execute_fire(world.services, world.runner, create_fire(schedule)) is SkipReason.DUPLICATE
    (run,) = list_history(world, schedule)
    assert (run.status, run.attempt, run.error) == (RunStatus.ERROR, 3, "The extension answered 503")


def test_a_retry_may_succeed(world: World, schedule: Schedule) -> None:
    world.runner.outcome = FAILED
    with pytest.raises(RunFailed):
        execute_fire(world.services, world.runner, create_fire(schedule))
    world.runner.outcome = Outcome(status=RunStatus.SUCCESS, http_status=200)

    execute_fire(world.services, world.runner, create_fire(schedule))

    (run,) = list_history(world, schedule)
    assert (run.status, run.attempt) == (RunStatus.SUCCESS, 2)


def list_keys(world: World) -> list[str]:
    return [execution.idempotency_key for execution in world.runner.executions]


def test_attempt_after_an_answer_has_a_key_of_its_own(world: World, schedule: Schedule) -> None:
    world.runner.outcome = FAILED
    for _ in range(3):
        with pytest.raises(RunFailed):
            execute_fire(world.services, world.runner, create_fire(schedule))

    assert len(set(list_keys(world))) == 3


def test_attempts_without_an_answer_share_one_key(world: World, schedule: Schedule) -> None:
    world.runner.outcome = UNANSWERED
    for _ in range(3):
        with pytest.raises(RunFailed):
            execute_fire(world.services, world.runner, create_fire(schedule))

    assert len(set(list_keys(world))) == 1


def test_history_has_the_request_of_the_newest_attempt(world: World, schedule: Schedule) -> None:
    world.runner.outcome = UNANSWERED
    for _ in range(2):
        with pytest.raises(RunFailed) as failure:
            execute_fire(world.services, world.runner, create_fire(schedule))

    first, second = (execution.run.request_id for execution in world.runner.executions)
    (run,) = list_history(world, schedule)
    assert run.request_id == second != first
    assert str(second) in str(failure.value)


def test_what_the_runner_says_is_in_the_history_for_the_operator_only(
    world: World, schedule: Schedule
) -> None:
    world.runner.outcome = replace(
        UNANSWERED,
        error="The runner answered 422",
        detail="The runner answered 422: config",
        runner_status=422,
    )
    for _ in range(3):
        with pytest.raises(RunFailed):
            execute_fire(world.services, world.runner, create_fire(schedule))

    (run,) = list_history(world, schedule)
    assert (run.error, run.detail) == ("The runner answered 422", "The runner answered 422: config")
    assert (run.runner_status, run.http_status) == (422, None)
    last = get_schedule(world.services, schedule.install_id, schedule.id).last_run
    assert last is not None
    assert last.error == "The runner answered 422"
