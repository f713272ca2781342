"""Read the messages of an SQS queue: peek at them, or process each once."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_PEEKED = 1_000
"""The number of messages that a peek reads; it hides them from other receivers until it ends."""

RECEIVE_WAIT_SECONDS = 1
"""Without a wait, SQS queries only some of its servers and may return no messages of a queue that has some."""

_VISIBILITY_TIMEOUT_SECONDS = 300
"""Long enough to read a full queue: a message that becomes visible meanwhile is received again, and passed over."""
_BATCH_SIZE = 10


@dataclass(frozen=True, kw_only=True)
class QueueMessage:
    """What every message has."""

    message_id: str
    receipt_handle: str
    sent_at: datetime


_MessageT = TypeVar("_MessageT", bound=QueueMessage)


@dataclass(frozen=True)
class PeekResult(Generic[_MessageT]):
    """The messages of a queue; `reached_end` is False if it has more than a peek reads."""

    messages: tuple[_MessageT, ...]
    reached_end: bool


class MessageQueue(Generic[_MessageT]):
    """A queue whose messages `parse_message` converts."""

    def __init__(
        self, sqs: "SQSClient", url: str, parse_message: Callable[[Mapping[str, Any]], _MessageT]
    ) -> None:
        self._sqs = sqs
        self._url = url
        self._parse_message = parse_message

    def peek_messages(self) -> PeekResult[_MessageT]:
        """Return the messages and leave them in the queue, where they can be received again at once."""
        messages = list(islice(self.iterate_messages(), MAX_PEEKED))
        self.release_messages(messages)
        return PeekResult(tuple(messages), reached_end=len(messages) < MAX_PEEKED)

    def release_messages(self, messages: Sequence[_MessageT]) -> None:
        """Let messages be received again at once."""
        for start in range(0, len(messages), _BATCH_SIZE):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message.receipt_handle, "VisibilityTimeout": 0}
                    for number, message in enumerate(messages[start : start + _BATCH_SIZE])
                ],
            )

    def estimate_message_count(self) -> int:
        """Return the approximate number of messages."""
        response = self._sqs.get_queue_attributes(
            QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(response["Attributes"]["ApproximateNumberOfMessages"])

    def iterate_messages(self) -> Iterator[_MessageT]:
        """Receive each message once, even if it becomes visible again in the meantime."""
        message_ids: set[str] = set()
        while raw_messages := self._receive_batch():
            for message in map(self._parse_message, raw_messages):
                if message.message_id not in message_ids:
                    message_ids.add(message.message_id)
                    yield message

    def _receive_batch(self) -> list[Any]:
        response = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_BATCH_SIZE,
            VisibilityTimeout=_VISIBILITY_TIMEOUT_SECONDS,
            WaitTimeSeconds=RECEIVE_WAIT_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(response.get("Messages", []))

    def delete_message(self, message: _MessageT) -> None:
        """Remove a received message from the queue."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt_handle)


def message_fields(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of QueueMessage for a message as SQS returns it."""
    return {
        "message_id": message["MessageId"],
        "receipt_handle": message["ReceiptHandle"],
        "sent_at": datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
    }


def parse_message_body(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the message's JSON object; empty if its body is anything else."""
    try:
        body = json.loads(message["Body"])
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
