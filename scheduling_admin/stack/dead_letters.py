"""The dead-letter queue: what is in it, and its occurrences delivered again.

A letter is Lambda's record of a failed invocation, or what EventBridge Scheduler could not hand over at all.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from scheduling.domain.ids import parse_install_id, parse_schedule_id
from scheduling.domain.runs import Fire, Trigger, parse_manual_time, parse_time

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_PEEKED = 1_000
"""Letters that a look reads, which hides them from others for as long as it takes."""

RECEIVE_WAIT_SECONDS = 1
"""Without a wait SQS asks some of its servers only, and may find none."""

_VISIBILITY_TIMEOUT_SECONDS = 60
_BATCH_SIZE = 10


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One message; `fire` is the occurrence to deliver again, or None where it names none."""

    message_id: str
    receipt_handle: str
    sent_at: datetime
    fire: Fire | None
    reason: str | None


@dataclass(frozen=True)
class PeekResult:
    """The letters found; `all_seen` unless there are more than a look reads."""

    dead_letters: tuple[DeadLetter, ...]
    reached_end: bool


class DeadLetterQueue:
    """The stack's queue."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def peek_dead_letters(self) -> PeekResult:
        """What is in the queue, all left there: it can be received again at once."""
        dead_letters = list(islice(self._iterate_dead_letters(), MAX_PEEKED))
        for start in range(0, len(dead_letters), _BATCH_SIZE):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": dead_letter.receipt_handle, "VisibilityTimeout": 0}
                    for number, dead_letter in enumerate(dead_letters[start : start + _BATCH_SIZE])
                ],
            )
        return PeekResult(tuple(dead_letters), reached_end=len(dead_letters) < MAX_PEEKED)

    def estimate_dead_letter_count(self) -> int:
        """About how many there are."""
        response = self._sqs.get_queue_attributes(
            QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(response["Attributes"]["ApproximateNumberOfMessages"])

    def replay_dead_letters(self, deliver_fire: Callable[[Fire], None]) -> Iterator[DeadLetter]:
        """Deliver each letter's occurrence and take the letter out; gives each as it is done.

        One that names no occurrence is given too, and stays. What `deliver` raises ends it; the letter stays then.
        """
        for dead_letter in self._iterate_dead_letters():
            if dead_letter.fire:
                deliver_fire(dead_letter.fire)
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=dead_letter.receipt_handle)
            yield dead_letter

    def _iterate_dead_letters(self) -> Iterator[DeadLetter]:
        """Each letter once, also where it shows up again meanwhile."""
        message_ids: set[str] = set()
        while messages := self._receive_messages():
            for dead_letter in map(parse_dead_letter, messages):
                if dead_letter.message_id not in message_ids:
                    message_ids.add(dead_letter.message_id)
                    yield dead_letter

    def _receive_messages(self) -> list[Any]:
        response = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_BATCH_SIZE,
            VisibilityTimeout=_VISIBILITY_TIMEOUT_SECONDS,
            WaitTimeSeconds=RECEIVE_WAIT_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        )
        return list(response.get("Messages", []))


def parse_dead_letter(message: dict[str, Any]) -> DeadLetter:
    """The letter that the message is."""
    body = _parse_body(message["Body"])
    return DeadLetter(
        message_id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        sent_at=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
        fire=_parse_fire(body.get("requestPayload", body)),
        reason=_parse_reason(body, message.get("MessageAttributes", {})),
    )


def _parse_body(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _parse_fire(event: Any) -> Fire | None:
    """The event's occurrence, marked as a replay, or None where it names none."""
    try:
        install_id, schedule_id = parse_install_id(event["installId"]), parse_schedule_id(event["scheduleId"])
        trigger = Trigger(event.get("trigger", Trigger.SCHEDULE))
        parse = parse_manual_time if trigger is Trigger.MANUAL else parse_time
        scheduled_time, revision = parse(event["scheduledTime"]), int(event["revision"])
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
    if install_id is None or schedule_id is None:
        return None
    return Fire(
        install_id=install_id,
        schedule_id=schedule_id,
        revision=revision,
        scheduled_time=scheduled_time,
        replay=True,
        trigger=trigger,
    )


def _parse_reason(body: dict[str, Any], attributes: dict[str, Any]) -> str | None:
    """Lambda's error message, or EventBridge's."""
    payload = body.get("responsePayload")
    error_message = payload.get("errorMessage") if isinstance(payload, dict) else None
    error_message = error_message or attributes.get("ERROR_MESSAGE", {}).get("StringValue")
    return str(error_message) if error_message else None
