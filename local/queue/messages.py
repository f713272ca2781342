"""Messages of a queue as the consumer holds them, and the event in which a function receives one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from local.clock import parse_instant
from local.queue.delays import DUE_AT, MAX_DELAY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.clock import LocalClock


@dataclass(frozen=True)
class QueuedMessage:
    """A received message; the times are the local clock's."""

    id: str
    receipt_handle: str
    body: str = field(repr=False)
    group: str
    receive_count: int
    sent_at: datetime
    due_at: datetime

    def build_event(self, queue_arn: str) -> dict[str, Any]:
        """Return the event that Lambda makes of a batch of one message."""
        sent_at = str(round(self.sent_at.timestamp() * 1000))
        return {
            "Records": [
                {
                    "messageId": self.id,
                    "receiptHandle": self.receipt_handle,
                    "body": self.body,
                    "attributes": {
                        "ApproximateReceiveCount": str(self.receive_count),
                        "SentTimestamp": sent_at,
                        "SenderId": "local",
                        "ApproximateFirstReceiveTimestamp": sent_at,
                        **({"MessageGroupId": self.group} if self.group else {}),
                    },
                    "messageAttributes": {},
                    "md5OfBody": hashlib.md5(self.body.encode(), usedforsecurity=False).hexdigest(),
                    "eventSource": "aws:sqs",
                    "eventSourceARN": queue_arn,
                    "awsRegion": queue_arn.split(":")[3],
                }
            ]
        }


def parse_message(message: Mapping[str, Any], clock: LocalClock) -> QueuedMessage:
    """Parse a message as SQS returns it.

    A delay that is longer than SQS allows is of a clock that was moved before the last start.
    """
    attributes, now = message["Attributes"], clock.now()
    due_at = message.get("MessageAttributes", {}).get(DUE_AT, {}).get("StringValue")
    return QueuedMessage(
        id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        body=message["Body"],
        group=attributes.get("MessageGroupId", ""),
        receive_count=int(attributes["ApproximateReceiveCount"]),
        sent_at=_to_local_time(int(attributes["SentTimestamp"]), clock),
        due_at=min(parse_instant(due_at), now + MAX_DELAY) if due_at else now,
    )


def _to_local_time(sent_ms: int, clock: LocalClock) -> datetime:
    """Convert the time of sending to the stack's clock; SQS uses real time."""
    now = clock.now()
    if clock.is_frozen:
        return now
    return now - max(timedelta(), datetime.now(UTC) - datetime.fromtimestamp(sent_ms / 1000, UTC))
