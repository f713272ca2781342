"""Messages to the queue of occurrences and to that of dead letters."""

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.session import Session
from scheduling.clients.queue import OccurrenceQueue
from scheduling.domain.errors import Unavailable
from scheduling.domain.fire_events import FireEvent

from tests.support.aws.calls import client_error, lost_response_error
from tests.support.aws.memory import MemoryAws, use_memory_aws
from tests.unit.builders import fire

OCCURRENCES, DEAD_LETTERS = "https://queue/occurrences", "https://queue/dead-letters"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with use_memory_aws() as memory:
        yield memory


@pytest.fixture
def queue(aws: MemoryAws) -> OccurrenceQueue:
    assert aws.queues.sent == {}
    return OccurrenceQueue(Session(), OCCURRENCES, DEAD_LETTERS)


@pytest.mark.parametrize(
    ("delay", "expected"),
    [
        pytest.param(timedelta(), {}, id="none"),
        pytest.param(timedelta(seconds=-5), {}, id="time has passed"),
        pytest.param(timedelta(seconds=30), {"DelaySeconds": 30}, id="seconds"),
        pytest.param(timedelta(seconds=30, microseconds=1), {"DelaySeconds": 31}, id="not too early"),
        pytest.param(timedelta(hours=1), {"DelaySeconds": 900}, id="as long as SQS can"),
    ],
)
def test_message_is_sent_in_its_group_with_its_delay(
    aws: MemoryAws, queue: OccurrenceQueue, delay: timedelta, expected: dict[str, int]
) -> None:
    queue.send_event(FireEvent(fire=fire()), "tenant-1", delay)

    (sent,) = aws.queues.sent[OCCURRENCES]
    assert json.loads(sent["MessageBody"])["scheduledTime"] == "2026-11-23T09:00:00Z"
    assert {name: value for name, value in sent.items() if name != "MessageBody"} == {
        "QueueUrl": OCCURRENCES,
        "MessageGroupId": "tenant-1",
        **expected,
    }


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("The extension answered 503: no", "The extension answered 503: no"),
        ("two\nlines\x00 and \ud800", "two lines  and"),
        ("x" * 5_000, "x" * 1_000),
        ("", "unknown"),
        ("\x07", "unknown"),
    ],
)
def test_dead_letter_has_its_reason_as_an_attribute(
    aws: MemoryAws, queue: OccurrenceQueue, reason: str, expected: str
) -> None:
    queue.send_dead_letter("5", "tenant-1", reason)

    (sent,) = aws.queues.sent[DEAD_LETTERS]
    assert (sent["MessageBody"], sent["MessageGroupId"]) == ("5", "tenant-1")
    assert sent["MessageAttributes"] == {"ERROR_MESSAGE": {"DataType": "String", "StringValue": expected}}


def test_dead_letter_of_a_message_without_group_has_none(aws: MemoryAws, queue: OccurrenceQueue) -> None:
    queue.send_dead_letter("5", None, "no")

    assert "MessageGroupId" not in aws.queues.sent[DEAD_LETTERS][0]


@pytest.mark.parametrize(
    "error", [client_error("RequestThrottled"), client_error("AccessDenied"), lost_response_error()]
)
def test_message_that_may_not_have_been_sent_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, queue: OccurrenceQueue, error: Exception
) -> None:
    def fail(**_arguments: object) -> None:
        raise error

    monkeypatch.setattr(queue._client, "send_message", fail)

    with pytest.raises(Unavailable, match="it may still start"):
        queue.send_fire(fire(), "tenant-1")
