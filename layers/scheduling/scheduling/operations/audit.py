"""Tell of changes on the bus."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from scheduling.domain.audit import Change
from scheduling.domain.events import AuditEvent, event_of


class Bus(Protocol):
    """Where those who audit the service listen."""

    def put(self, events: Sequence[AuditEvent]) -> Sequence[AuditEvent]:
        """Publish in order; those that were taken. After a call that failed as a whole, no further one is made."""


@dataclass(frozen=True, slots=True)
class Published:
    """The events that the bus has taken, and the sequence of the first that it has not, if any."""

    taken: Sequence[AuditEvent]
    again_from: str | None


def publish(bus: Bus, changes: Iterable[Change]) -> Published:
    """Publish what the changes, in their order, mean.

    From `again_from` on they are to be told of again; events behind it that were taken are then taken twice.
    """
    events = [event for event in map(event_of, changes) if event]
    taken = bus.put(events)
    known = {event.sequence for event in taken}
    return Published(taken, next((event.sequence for event in events if event.sequence not in known), None))
