"""Tell of changes on the bus."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scheduling.domain.audit import AuditEvent, Change, event_of
from scheduling.store.stream import changes_of

PutEvents = Callable[[Sequence[AuditEvent]], Sequence[AuditEvent]]
"""Publishes events in order and returns those that were accepted."""


@dataclass(frozen=True, slots=True)
class Published:
    """The events that the bus has taken, and the sequence of the first that it has not, if any."""

    taken: Sequence[AuditEvent]
    again_from: str | None


def publish_records(put_events: PutEvents, event: Mapping[str, Any]) -> Published:
    """Publish what the records of a stream event mean. Raises RecordNotUnderstood."""
    return publish(put_events, changes_of(event))


def publish(put_events: PutEvents, changes: Iterable[Change]) -> Published:
    """Publish what the changes, in their order, mean.

    From `again_from` on they are to be told of again; events behind it that were taken are then taken twice.
    """
    events = [event for event in map(event_of, changes) if event]
    taken = put_events(events)
    known = {event.sequence for event in taken}
    return Published(taken, next((event.sequence for event in events if event.sequence not in known), None))
