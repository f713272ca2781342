"""The forms of a dead letter, by who has written it.

The executor's body is the event of the occurrence, and so is that of a message that SQS has moved because the function
died at each delivery. EventBridge Scheduler writes its request: of SQS's SendMessage, or of Lambda's Invoke for a timer
of an earlier release. Some emulators write the timer's input, with its words not replaced. Lambda wrote the record of
a failed invocation for an earlier release. The attribute ERROR_MESSAGE has the reason, in Lambda's record its payload.

Where EventBridge's body is unusable (it cuts off a long one), its attributes name the schedule and the scheduled time.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from scheduling.domain.fire_events import parse_fire_event
from scheduling.domain.ids import parse_schedule_id
from scheduling.domain.runs import Fire
from scheduling.domain.sweeps import TimerSnapshot

Fields = Mapping[str, Any]
_WRAPPERS = ("requestPayload", "MessageBody", "Payload")
_MAX_DEPTH = 3
_WORD = "<aws.scheduler."


@dataclass(frozen=True, kw_only=True)
class DeadLetterContent:
    """What a dead letter says; `event` has the fields of the occurrence's event, as far as they could be read."""

    event: Fields
    group: str | None
    reason: str | None

    @property
    def timer_name(self) -> str | None:
        """The schedule whose timer has what the event lacks, if it lacks anything that the timer has."""
        schedule_id = self.event.get("scheduleId")
        is_incomplete = self.event.get("installId") is None or self.event.get("revision") is None
        return schedule_id if is_incomplete and isinstance(schedule_id, str) else None

    def complete_from_timer(self, timer: TimerSnapshot | None) -> "DeadLetterContent":
        """Return the content with the install and the revision of the timer."""
        if timer is None:
            return self
        fields = {"installId": timer.install_id, "revision": timer.timer_revision}
        return replace(self, event={**self.event, **fields}, group=self.group or timer.group)

    def parse_replay(self) -> Fire:
        """Return the occurrence, marked as a replay.

        Raises:
            InvalidFireEvent: The event names none.
        """
        return replace(parse_fire_event(self.event).fire, replay=True)


def parse_dead_letter_content(message: Fields) -> DeadLetterContent:
    """Parse a message of a dead-letter queue, in any form; never raises."""
    attributes = {
        name: value.get("StringValue") for name, value in message.get("MessageAttributes", {}).items()
    }
    body = _parse_object(message.get("Body"))
    event, group = _unwrap_event(body)
    return DeadLetterContent(
        event=_complete_from_attributes(event, attributes),
        group=group or message.get("Attributes", {}).get("MessageGroupId"),
        reason=_find_reason(body, attributes, message.get("Attributes", {})),
    )


def _unwrap_event(body: Fields) -> tuple[Fields, str | None]:
    """Return the event in a body, and the group in which it was to be sent."""
    event, group = body, None
    for _ in range(_MAX_DEPTH):
        wrapper = next((name for name in _WRAPPERS if name in event), None)
        if wrapper is None:
            break
        if isinstance(event.get("MessageGroupId"), str):
            group = event["MessageGroupId"]
        event = _parse_object(event[wrapper])
    return event, group


def _complete_from_attributes(event: Fields, attributes: Mapping[str, str | None]) -> Fields:
    """Return the event with what EventBridge's attributes say where the event lacks it."""
    completed = {
        name: value for name, value in event.items() if not (isinstance(value, str) and _WORD in value)
    }
    schedule_id = parse_schedule_id((attributes.get("SCHEDULE_ARN") or "").rpartition("/")[2])
    known = {"scheduleId": schedule_id, "scheduledTime": attributes.get("SCHEDULED_TIME")}
    return {name: value for name, value in known.items() if value is not None} | completed


def _find_reason(body: Fields, attributes: Mapping[str, str | None], system: Fields) -> str | None:
    response = body.get("responsePayload")
    reasons = (
        response.get("errorMessage") if isinstance(response, dict) else None,
        attributes.get("ERROR_MESSAGE"),
        attributes.get("ERROR_CODE"),
        "The function died at each delivery" if system.get("DeadLetterQueueSourceArn") else None,
    )
    return next((str(reason) for reason in reasons if reason), None)


def _parse_object(value: object) -> Fields:
    """Return an object, or the one in a text; an empty one for anything else."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}
