"""Publish changes of the table on the event bus."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scheduling.domain.audit import AuditEvent, RowChange, event_from_change
from scheduling.domain.errors import UnreadableItem
from scheduling.store.stream import parse_changes

PutEvents = Callable[[Sequence[AuditEvent]], Sequence[AuditEvent]]
"""Publishes events in order and returns those that were accepted."""


@dataclass(frozen=True, slots=True)
class PublishResult:
    """The events that the bus has accepted, and the sequence of the first one that it has not, if any.

    `unreadable` are the records that this release cannot read: they cause no event, and block none.
    """

    published: Sequence[AuditEvent]
    republish_from: str | None
    unreadable: Sequence[UnreadableItem] = ()


def publish_records(put_events: PutEvents, event: Mapping[str, Any]) -> PublishResult:
    """Publish the events of the records in a stream event."""
    stream_changes = parse_changes(event)
    result = publish_changes(put_events, stream_changes.changes)
    return replace(result, unreadable=stream_changes.unreadable)


def publish_changes(put_events: PutEvents, changes: Iterable[RowChange]) -> PublishResult:
    """Publish the events of the changes, in their order.

    The changes from `republish_from` on must be published again; later events that the bus has accepted are then
    published twice.
    """
    events = [event for event in map(event_from_change, changes) if event]
    published = put_events(events)
    published_sequences = {event.sequence for event in published}
    return PublishResult(
        published,
        next((event.sequence for event in events if event.sequence not in published_sequences), None),
    )
