"""Parallel requests to one queue: moto's own methods take no lock, their replacements do."""

from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from local.moto import queues

ACCOUNT, REGION, QUEUE = "123456789012", "us-east-1", "queue"


@pytest.fixture
def sqs() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("sqs", region_name=REGION)
        client.create_queue(QueueName=QUEUE)
        yield client


def queue_url(sqs: Any) -> str:
    return str(sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"])


def add_during(monkeypatch: pytest.MonkeyPatch, method: str, queue: Queue, message: Message) -> list[bool]:
    """Let another client add the message while moto runs a method of a message; return whether it was locked out."""
    original: Callable[..., Any] = getattr(Message, method)
    refusals: list[bool] = []

    def add() -> None:
        acquired = queue._messages_lock.acquire(blocking=False)
        refusals.append(not acquired)
        if acquired:
            queue._messages.append(message)
            queue._messages_lock.release()

    def interrupted(self: Message, *args: Any, **kwargs: Any) -> Any:
        if not refusals:
            thread = Thread(target=add)
            thread.start()
            thread.join()
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Message, method, interrupted)
    return refusals


def start_operation(sqs: Any) -> tuple[Queue, Message, str]:
    """Receive one of two messages; return the queue, a third message, and the receipt handle."""
    for body in ("received", "visible", "added"):
        sqs.send_message(QueueUrl=queue_url(sqs), MessageBody=body)
    (received,) = sqs.receive_message(QueueUrl=queue_url(sqs), MaxNumberOfMessages=1)["Messages"]
    queue = sqs_backends[ACCOUNT][REGION].queues[QUEUE]
    return queue, queue._messages.pop(), received["ReceiptHandle"]


def delete(queue: Queue, receipt_handle: str) -> None:
    queue.delete_message(receipt_handle)


def change_visibility(queue: Queue, receipt_handle: str) -> None:
    sqs_backends[ACCOUNT][REGION].change_message_visibility(queue.name, receipt_handle, 0)


def receive(queue: Queue, _receipt_handle: str) -> None:
    sqs_backends[ACCOUNT][REGION].receive_message(queue.name, 1, 0, 30)


@pytest.mark.parametrize("patched", [pytest.param(True, id="replaced"), pytest.param(False, id="moto's own")])
@pytest.mark.parametrize(
    ("operation", "method"),
    [
        pytest.param(delete, "had_receipt_handle", id="delete"),
        pytest.param(change_visibility, "had_receipt_handle", id="change visibility"),
        pytest.param(receive, "mark_received", id="receive"),
    ],
)
def test_replacement_keeps_others_out_and_moto_does_not(
    sqs: Any,
    monkeypatch: pytest.MonkeyPatch,
    operation: Callable[[Queue, str], object],
    method: str,
    patched: bool,
) -> None:
    replacements: Any = queues.REPLACEMENTS if patched else queues.ORIGINALS
    for (owner, name), function in replacements.items():
        monkeypatch.setattr(owner, name, function)
    queue, added, receipt_handle = start_operation(sqs)
    refusals = add_during(monkeypatch, method, queue, added)
    operation(queue, receipt_handle)
    assert refusals == [patched]


def test_receiver_that_waits_does_not_keep_senders_out(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SQSBackend, "receive_message", queues.receive_message)
    monkeypatch.setattr(
        Queue,
        "wait_for_messages",
        lambda _queue, _timeout: sqs.send_message(QueueUrl=queue_url(sqs), MessageBody="late"),
    )
    (message,) = sqs.receive_message(QueueUrl=queue_url(sqs), WaitTimeSeconds=5)["Messages"]
    assert message["Body"] == "late"
    assert "Messages" not in sqs.receive_message(QueueUrl=queue_url(sqs), WaitTimeSeconds=0)
