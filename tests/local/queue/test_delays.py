"""Delays by the local clock; botocore's own sessions still send what they are given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import botocore.handlers
import botocore.session
import pytest

from local.clock import LocalClock
from local.queue import delays

if TYPE_CHECKING:
    from local.cloudformation.clients import AwsClients

CLOCK = LocalClock(datetime(2026, 11, 23, 9, tzinfo=UTC), frozen=True)


@pytest.fixture
def queue_url(aws: AwsClients, monkeypatch: pytest.MonkeyPatch) -> str:
    handlers: list[Any] = [*botocore.handlers.BUILTIN_HANDLERS]
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", handlers)
    monkeypatch.setattr(delays, "BUILTIN_HANDLERS", handlers)
    delays.delay_by_local_clock(CLOCK)
    return aws.sqs.create_queue(QueueName="delays")["QueueUrl"]


def send_and_receive(aws: AwsClients, queue_url: str, **arguments: Any) -> list[Any]:
    session = botocore.session.Session()
    client: Any = session.create_client(
        "sqs", region_name="us-east-1", endpoint_url=aws.sqs.meta.endpoint_url
    )
    client.send_message(QueueUrl=queue_url, MessageBody="body", MessageGroupId="tenant", **arguments)
    response = aws.sqs.receive_message(QueueUrl=queue_url, MessageAttributeNames=["All"])
    messages = response.get("Messages", [])
    for message in messages:
        aws.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return [
        {name: value.get("StringValue") for name, value in message.get("MessageAttributes", {}).items()}
        for message in messages
    ]


@pytest.mark.parametrize(
    ("arguments", "attributes"),
    [
        pytest.param({}, {}, id="no delay"),
        pytest.param({"DelaySeconds": 0}, {}, id="zero"),
        pytest.param({"DelaySeconds": 90}, {"local-due-at": "2026-11-23T09:01:30Z"}, id="delay"),
        pytest.param(
            {
                "DelaySeconds": 900,
                "MessageAttributes": {"reason": {"DataType": "String", "StringValue": "x"}},
            },
            {"local-due-at": "2026-11-23T09:15:00Z", "reason": "x"},
            id="with an attribute",
        ),
    ],
)
def test_message_is_sent_at_once_with_the_local_time_at_which_it_is_due(
    aws: AwsClients, queue_url: str, arguments: dict[str, Any], attributes: dict[str, str]
) -> None:
    assert send_and_receive(aws, queue_url, **arguments) == [attributes]


def test_replacement_is_needed(aws: AwsClients) -> None:
    queue_url = aws.sqs.create_queue(QueueName="real-delays")["QueueUrl"]
    assert send_and_receive(aws, queue_url, DelaySeconds=900) == []
