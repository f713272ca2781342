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

MOST_LOOKED_AT = 1_000
"""Letters that a look reads, which hides them from others for as long as it takes."""

WAIT_SECONDS = 1
"""Without a wait SQS asks some of its servers only, and may find none."""

_HIDDEN_SECONDS = 60
_BATCH = 10


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One message; `fire` is the occurrence to deliver again, or None where it names none."""

    id: str
    handle: str
    sent_at: datetime
    fire: Fire | None
    reason: str | None


@dataclass(frozen=True)
class Look:
    """The letters found; `all_seen` unless there are more than a look reads."""

    letters: tuple[Letter, ...]
    all_seen: bool


class DeadLetters:
    """The stack's queue."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def look(self) -> Look:
        """What is in the queue, all left there: it can be received again at once."""
        received = list(islice(self._received(), MOST_LOOKED_AT))
        for start in range(0, len(received), _BATCH):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": letter.handle, "VisibilityTimeout": 0}
                    for number, letter in enumerate(received[start : start + _BATCH])
                ],
            )
        return Look(tuple(received), all_seen=len(received) < MOST_LOOKED_AT)

    def count(self) -> int:
        """About how many there are."""
        found = self._sqs.get_queue_attributes(
            QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    def replay(self, deliver: Callable[[Fire], None]) -> Iterator[Letter]:
        """Deliver each letter's occurrence and take the letter out; gives each as it is done.

        One that names no occurrence is given too, and stays. What `deliver` raises ends it; the letter stays then.
        """
        for letter in self._received():
            if letter.fire:
                deliver(letter.fire)
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=letter.handle)
            yield letter

    def _received(self) -> Iterator[Letter]:
        """Each letter once, also where it shows up again meanwhile."""
        seen: set[str] = set()
        while messages := self._receive():
            for letter in map(letter_of, messages):
                if letter.id not in seen:
                    seen.add(letter.id)
                    yield letter

    def _receive(self) -> list[Any]:
        received = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_BATCH,
            VisibilityTimeout=_HIDDEN_SECONDS,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        )
        return list(received.get("Messages", []))


def letter_of(message: dict[str, Any]) -> Letter:
    """The letter that the message is."""
    body = _parsed(message["Body"])
    return Letter(
        id=message["MessageId"],
        handle=message["ReceiptHandle"],
        sent_at=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
        fire=_fire_of(body.get("requestPayload", body)),
        reason=_reason(body, message.get("MessageAttributes", {})),
    )


def _parsed(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _fire_of(event: Any) -> Fire | None:
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


def _reason(body: dict[str, Any], attributes: dict[str, Any]) -> str | None:
    """Lambda's error message, or EventBridge's."""
    payload = body.get("responsePayload")
    told = payload.get("errorMessage") if isinstance(payload, dict) else None
    told = told or attributes.get("ERROR_MESSAGE", {}).get("StringValue")
    return str(told) if told else None
