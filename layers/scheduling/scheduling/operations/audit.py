"""Publish changes of the table on the event bus, and keep them in the table."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scheduling.domain.audit.changes import KeptChange, change_from_event
from scheduling.domain.audit.events import AuditEvent, RowChange, event_from_change
from scheduling.domain.errors import Unavailable, UnreadableItem
from scheduling.store.schedule_items.changes import save_change
from scheduling.store.stream import parse_changes

logger = logging.getLogger(__name__)

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
    """Keep the changes in a stream event, and publish their events."""
    stream_changes = parse_changes(event)
    result = publish_changes(put_events, stream_changes.changes, save_change)
    return replace(result, unreadable=stream_changes.unreadable)


def publish_changes(
    put_events: PutEvents, changes: Iterable[RowChange], keep_change: Callable[[KeptChange], None]
) -> PublishResult:
    """Keep the changes, then publish their events, in their order.

    The changes from `republish_from` on must be published again; later events that the bus has accepted are then
    published twice. Kept first, a change is known while the bus does not accept events; kept again, it is the same row.
    """
    events = [event for event in map(event_from_change, changes) if event]
    try:
        for kept_change in filter(None, map(change_from_event, events)):
            keep_change(kept_change)
    except Unavailable as error:
        logger.warning("no change is published, since the table does not respond: %s", error)
        return PublishResult([], events[0].sequence)
    published = put_events(events)
    published_sequences = {event.sequence for event in published}
    return PublishResult(
        published,
        next((event.sequence for event in events if event.sequence not in published_sequences), None),
    )
