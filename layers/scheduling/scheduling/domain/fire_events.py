"""The event of an occurrence: what a timer sends to the queue, and the executor to itself (contract, section 5).

Everything that writes or reads such an event does it here: timers, executor, manual runs, replay and local stack.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scheduling.domain.errors import InvalidFireEvent
from scheduling.domain.ids import parse_install_id, parse_schedule_id
from scheduling.domain.runs import Fire, Trigger, normalize_manual_time, normalize_scheduled_time
from scheduling.domain.schedule import Schedule

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FireEvent:
    """A fire, and what the executor adds where it sends the occurrence to the queue once more.

    Attributes:
        first_sent_at: When the occurrence was first sent; None if this is the first time.
        sent_at: When the executor sent this event; None if it was not the executor.
        wait_token: The token by which the run's row names this message as the one that counts.
    """

    fire: Fire
    first_sent_at: datetime | None = None
    sent_at: datetime | None = None
    wait_token: str | None = None


def build_timer_input(schedule: Schedule, queue_url: str) -> str:
    """Return the input of a timer, which is that of SQS's SendMessage: ids only, never the tenant's payload.

    EventBridge Scheduler replaces the words in angle brackets. The messages of a tenant are a group, so that SQS lets
    no tenant wait for another's.
    """
    message = {
        "installId": schedule.install_id,
        "scheduleId": schedule.id,
        "revision": schedule.timer_revision,
        "scheduledTime": "<aws.scheduler.scheduled-time>",
        "attempt": "<aws.scheduler.attempt-number>",
    }
    return json.dumps(
        {
            "QueueUrl": queue_url,
            "MessageBody": json.dumps(message),
            "MessageGroupId": message_group(schedule),
        }
    )


def message_group(schedule: Schedule) -> str:
    """Return the group of the schedule's messages: its tenant, or for rows without one its install."""
    return schedule.tenant_id or schedule.install_id


def parse_timer_input(text: str | None) -> tuple[Fields, str | None, str | None]:
    """Return the event, the queue's URL and the group of a timer's input, as far as it can be read.

    The timers of earlier releases have the event alone, for the executor function.
    """
    target_input = _parse_object(text)
    if "MessageBody" not in target_input:
        return target_input, None, None
    return (
        _parse_object(target_input["MessageBody"]),
        target_input.get("QueueUrl"),
        target_input.get("MessageGroupId"),
    )


def format_fire_event(event: FireEvent) -> str:
    """Return the event as the body of a message."""
    fire = event.fire
    optional_fields = {
        "replay": fire.replay or None,
        "firstSentAt": _format_instant(event.first_sent_at),
        "sentAt": _format_instant(event.sent_at),
        "waitToken": event.wait_token,
    }
    return json.dumps(
        {
            "installId": fire.install_id,
            "scheduleId": fire.schedule_id,
            "revision": fire.timer_revision,
            "scheduledTime": fire.scheduled_time,
            "trigger": fire.trigger.value,
            **{name: value for name, value in optional_fields.items() if value is not None},
        }
    )


def parse_fire_event(event: object) -> FireEvent:
    """Return the event that a message's body, or its JSON document, describes.

    Raises:
        InvalidFireEvent: It is no JSON object, or a field is missing or has another form.
    """
    fields = event if isinstance(event, Mapping) else _load_object(event)
    trigger = _parse_field(fields, "trigger", Trigger, default=Trigger.SCHEDULE)
    normalize_time = normalize_manual_time if trigger is Trigger.MANUAL else normalize_scheduled_time
    fire = Fire(
        install_id=_parse_field(fields, "installId", parse_install_id),
        schedule_id=_parse_field(fields, "scheduleId", parse_schedule_id),
        timer_revision=_parse_field(fields, "revision", int),
        scheduled_time=_parse_field(fields, "scheduledTime", normalize_time),
        replay=_parse_field(fields, "replay", _parse_flag, default=False),
        trigger=trigger,
    )
    return FireEvent(
        fire=fire,
        first_sent_at=_parse_field(fields, "firstSentAt", _parse_instant, default=None),
        sent_at=_parse_field(fields, "sentAt", _parse_instant, default=None),
        wait_token=_parse_field(fields, "waitToken", str, default=None),
    )


_REQUIRED = object()


def _parse_field(fields: Fields, name: str, parse: Any, *, default: Any = _REQUIRED) -> Any:
    value = fields.get(name)
    if value is None:
        if default is _REQUIRED:
            raise InvalidFireEvent(f"{name} is missing")
        return default
    expected_types = {"revision": (int, str), "replay": (bool,)}.get(name, (str,))
    try:
        parsed = parse(value) if type(value) in expected_types else None
    except (ValueError, OverflowError):
        parsed = None
    if parsed is None:
        raise InvalidFireEvent(f"{name} is invalid")
    return parsed


def _parse_flag(value: bool) -> bool:
    return value


def _parse_instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)


def _format_instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _load_object(text: object) -> Fields:
    fields = _parse_object(text)
    if not fields:
        raise InvalidFireEvent("it is not a JSON object with fields")
    return fields


def _parse_object(text: object) -> Fields:
    """Return the object, or an empty one for anything else."""
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {}
