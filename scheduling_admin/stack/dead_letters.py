"""The dead-letter queue.

A dead letter is Lambda's record of a failed invocation, or an event that EventBridge Scheduler could not deliver.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scheduling.domain.ids import parse_install_id, parse_schedule_id
from scheduling.domain.runs import Fire, Trigger, normalize_manual_time, normalize_scheduled_time

from scheduling_admin.stack.queues import MessageQueue, QueueMessage, message_fields, parse_message_body

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, kw_only=True)
class DeadLetter(QueueMessage):
    """One message; `fire` is the occurrence to deliver again, or None if the message names none."""

    fire: Fire | None
    reason: str | None


class DeadLetterQueue(MessageQueue[DeadLetter]):
    """The stack's dead-letter queue."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        super().__init__(sqs, url, parse_dead_letter)

    def replay_dead_letters(self, deliver_fire: Callable[[Fire], None]) -> Iterator[DeadLetter]:
        """Deliver the occurrence of each dead letter again and delete the message; yield each one when done.

        A dead letter that names no occurrence is yielded too, and stays in the queue. An exception of `deliver_fire`
        ends the iteration, and the dead letter stays in the queue.
        """
        for dead_letter in self.iterate_messages():
            if dead_letter.fire:
                deliver_fire(dead_letter.fire)
                self.delete_message(dead_letter)
            yield dead_letter


def parse_dead_letter(message: Mapping[str, Any]) -> DeadLetter:
    """Parse a message of the queue."""
    body = parse_message_body(message)
    return DeadLetter(
        **message_fields(message),
        fire=_parse_fire(body.get("requestPayload", body)),
        reason=_parse_reason(body, message.get("MessageAttributes", {})),
    )


def _parse_fire(event: Any) -> Fire | None:
    """Return the event's occurrence, marked as a replay, or None if it names none."""
    try:
        install_id, schedule_id = parse_install_id(event["installId"]), parse_schedule_id(event["scheduleId"])
        trigger = Trigger(event.get("trigger", Trigger.SCHEDULE))
        parse = normalize_manual_time if trigger is Trigger.MANUAL else normalize_scheduled_time
        scheduled_time, revision = parse(event["scheduledTime"]), int(event["revision"])
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
    if install_id is None or schedule_id is None:
        return None
    return Fire(
        install_id=install_id,
        schedule_id=schedule_id,
        timer_revision=revision,
        scheduled_time=scheduled_time,
        replay=True,
        trigger=trigger,
    )


def _parse_reason(body: Mapping[str, Any], attributes: Mapping[str, Any]) -> str | None:
    """Return the error message of Lambda or of EventBridge."""
    payload = body.get("responsePayload")
    error_message = payload.get("errorMessage") if isinstance(payload, dict) else None
    error_message = error_message or attributes.get("ERROR_MESSAGE", {}).get("StringValue")
    return str(error_message) if error_message else None
