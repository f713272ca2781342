"""The attempts at an occurrence: their number, their keys and requests, and what the history says of them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, RunStatus, SkipReason
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule

from tests.support.stacks.fires import PlayedQueue, create_fire, execute_fire, list_history
from tests.support.stacks.world import (
    DEAD_LETTER_QUEUE_URL,
    START,
    TENANT,
    World,
    create_input,
    on_moto_and_memory,
)

pytestmark = on_moto_and_memory

FAILED = Outcome(status=RunStatus.ERROR, http_status=503, error="The extension answered 503", retryable=True)
UNANSWERED = Outcome(status=RunStatus.ERROR, error="The runner did not answer within 60 s", retryable=True)


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    return create_schedule(world.services, install_id, create_input())


def run_attempts(world: World, schedule: Schedule, outcome: Outcome, hours: float = 1) -> None:
    """Deliver the occurrence, and what the queue delivers within the time after it."""
    world.runner.outcome = outcome
    execute_fire(world.services, world.runner, create_fire(schedule))
    PlayedQueue(world).deliver_for(hours=hours)


def test_transient_failure_is_attempted_three_times_then_dead_lettered(
    world: World, schedule: Schedule
) -> None:
    run_attempts(world, schedule, FAILED)

    assert execute_fire(world.services, world.runner, create_fire(schedule)) is SkipReason.DUPLICATE
    (run,) = list_history(world, schedule)
    assert (run.status, run.attempt, run.error) == (RunStatus.ERROR, 3, "The extension answered 503")
    assert [execution.run.started_at for execution in world.runner.executions] == [
        START,
        START + timedelta(minutes=1),
        START + timedelta(minutes=3),
    ]
    (dead_letter,) = world.list_sent_messages(DEAD_LETTER_QUEUE_URL)
    assert (dead_letter.group, dead_letter.attributes) == (
        TENANT,
        {"ERROR_MESSAGE": "The extension answered 503"},
    )
    assert dead_letter.event == {
        "installId": schedule.install_id,
        "scheduleId": schedule.id,
        "revision": 1,
        "scheduledTime": "2026-11-23T09:00:00Z",
        "trigger": "schedule",
        "replay": True,
        "sentAt": "2026-11-23T09:03:00Z",
        "waitToken": run.wait_token,
    }


def test_attempt_after_an_unanswered_one_waits_until_its_run_has_ended(
    world: World, schedule: Schedule
) -> None:
    patient = replace(world, services=replace(world.services, retry_delay=timedelta(seconds=90)))

    run_attempts(patient, schedule, UNANSWERED)

    assert [execution.run.started_at - START for execution in world.runner.executions] == [
        timedelta(),
        timedelta(seconds=90),
        timedelta(seconds=210),
    ]


def test_failed_attempt_costs_one_message(world: World, schedule: Schedule) -> None:
    world.runner.outcome = FAILED
    world.calls.recorded.clear()
    execute_fire(world.services, world.runner, create_fire(schedule))

    assert world.calls.operation_names() == [
        "BatchGetItem",
        "TransactWriteItems",
        "SendMessage",
        "TransactWriteItems",
    ]


def test_a_retry_may_succeed(world: World, schedule: Schedule) -> None:
    world.runner.outcome = FAILED
    execute_fire(world.services, world.runner, create_fire(schedule))
    world.runner.outcome = Outcome(status=RunStatus.SUCCESS, http_status=200)

    PlayedQueue(world).deliver_for(minutes=1)

    (run,) = list_history(world, schedule)
    assert (run.status, run.attempt, run.wait_token) == (RunStatus.SUCCESS, 2, None)


def list_keys(world: World) -> list[str]:
    return [execution.idempotency_key for execution in world.runner.executions]


def test_attempt_after_an_answer_has_a_key_of_its_own(world: World, schedule: Schedule) -> None:
    run_attempts(world, schedule, FAILED)

    assert len(set(list_keys(world))) == 3


def test_attempts_without_an_answer_share_one_key(world: World, schedule: Schedule) -> None:
    run_attempts(world, schedule, UNANSWERED)

    assert (len(list_keys(world)), len(set(list_keys(world)))) == (3, 1)


def test_history_has_the_request_of_the_newest_attempt(world: World, schedule: Schedule) -> None:
    run_attempts(world, schedule, UNANSWERED, hours=1 / 60)

    first, second = (execution.run.request_id for execution in world.runner.executions)
    (run,) = list_history(world, schedule)
    assert run.request_id == second != first


def test_what_the_runner_says_is_in_the_history_for_the_operator_only(
    world: World, schedule: Schedule
) -> None:
    outcome = replace(
        UNANSWERED,
        error="The runner answered 422",
        detail="The runner answered 422: config",
        runner_status=422,
    )
    run_attempts(world, schedule, outcome)

    (run,) = list_history(world, schedule)
    assert (run.error, run.detail) == ("The runner answered 422", "The runner answered 422: config")
    assert (run.runner_status, run.http_status) == (422, None)
    last = get_schedule(world.services, schedule.install_id, schedule.id).last_run
    assert last is not None
    assert last.error == "The runner answered 422"
