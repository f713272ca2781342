import json
from typing import Any

import boto3
from scheduling.api.fires import fire_of
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, RunStatus
from scheduling.operations.create import create
from scheduling.operations.execute import RunFailed, execute
from scheduling.operations.reading import list_runs

from scripts.replay import occurrence, replay
from tests.support.world import World, timer_input, wanted


def test_a_dead_letter_is_run_again_and_leaves_the_queue(world: World, install_id: InstallId) -> None:
    schedule = create(world.services, install_id, wanted())
    event = timer_input(world, schedule) | {"scheduledTime": "2026-11-23T09:00:00Z", "attempt": "1"}
    world.runner.outcome = Outcome(status=RunStatus.ERROR, http_status=500, error="no", retryable=True)
    for _ in range(3):
        try:
            execute(world.services, world.runner, fire_of(event))
        except RunFailed:
            continue
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="dead")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"version": "1.0", "requestPayload": event}))
    world.runner.outcome = Outcome(status=RunStatus.SUCCESS, http_status=200)

    counts = replay(sqs, queue, lambda letter: deliver(world, letter))

    assert counts == (1, 0)
    (run,) = list_runs(world.services, install_id, schedule.id, limit=5).runs
    assert (run.status, run.attempt) == (RunStatus.SUCCESS, 4)
    assert replay(sqs, queue, lambda letter: deliver(world, letter)) == (0, 0)


def deliver(world: World, event: dict[str, Any]) -> None:
    execute(world.services, world.runner, fire_of(event))


def test_a_letter_that_names_no_occurrence_stays() -> None:
    assert occurrence("[]") is None
    assert occurrence("no JSON") is None
    assert occurrence('{"requestPayload": {"installId": "a"}}') is None


def test_a_letter_of_eventbridge_is_the_event_itself() -> None:
    event = {"installId": "a", "scheduleId": "b", "revision": 1, "scheduledTime": "2026-11-23T09:00:00Z"}

    assert occurrence(json.dumps(event)) == {**event, "replay": True}
