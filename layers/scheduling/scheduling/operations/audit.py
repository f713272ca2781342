"""Tell of changes on the bus."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scheduling.domain.audit import AuditEvent, RowChange, event_from_change
from scheduling.store.stream import parse_changes

PutEvents = Callable[[Sequence[AuditEvent]], Sequence[AuditEvent]]
"""Publishes events in order and returns those that were accepted."""


@dataclass(frozen=True, slots=True)
class PublishResult:
    """The events that the bus has taken, and the sequence of the first that it has not, if any."""

    published: Sequence[AuditEvent]
    republish_from: str | None


def publish_records(put_events: PutEvents, event: Mapping[str, Any]) -> PublishResult:
    """Publish what the records of a stream event mean. Raises RecordNotUnderstood."""
    return publish_changes(put_events, parse_changes(event))


def publish_changes(put_events: PutEvents, changes: Iterable[RowChange]) -> PublishResult:
    """Publish what the changes, in their order, mean.

    From `again_from` on they are to be told of again; events behind it that were taken are then taken twice.
    """
    events = [event for event in map(event_from_change, changes) if event]
    published = put_events(events)
    published_sequences = {event.sequence for event in published}
    return PublishResult(
        published,
        next((event.sequence for event in events if event.sequence not in published_sequences), None),
    )
