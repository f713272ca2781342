"""The messages that wait: for their time, or for one of the concurrent executions."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from local.queue.messages import QueuedMessage


class Backlog:
    """Waiting messages, and how many of each group are in flight.

    The next message is of the group with the fewest in flight, and among those of the one that was served longest ago.
    That is a model of the rule of SQS's fair queues, which let a group wait once it has more than its share of the
    messages in flight or of the processing time.
    """

    def __init__(self) -> None:
        self._delayed: list[tuple[datetime, int, QueuedMessage]] = []
        self._due: defaultdict[str, deque[QueuedMessage]] = defaultdict(deque)
        self._in_flight: Counter[str] = Counter()
        self._served: dict[str, int] = {}
        self._sequence = count()

    def add_message(self, message: QueuedMessage) -> None:
        """Let a message wait until it is due."""
        heappush(self._delayed, (message.due_at, next(self._sequence), message))

    def take_message(self, now: datetime) -> QueuedMessage | None:
        """Remove the next message that is due and count it as in flight; None if there is none."""
        while self._delayed and self._delayed[0][0] <= now:
            message = heappop(self._delayed)[2]
            self._due[message.group].append(message)
        if not self._due:
            return None
        group = min(self._due, key=lambda name: (self._in_flight[name], self._served.get(name, -1)))
        message = self._due[group].popleft()
        if not self._due[group]:
            del self._due[group]
        self._in_flight[group] += 1
        self._served[group] = next(self._sequence)
        return message

    def end_flight(self, message: QueuedMessage) -> None:
        """Count a message no longer as in flight."""
        self._in_flight[message.group] -= 1

    def next_due_at(self) -> datetime | None:
        """Return when the next delayed message is due; None if no message is delayed."""
        return self._delayed[0][0] if self._delayed else None

    def list_messages(self) -> list[QueuedMessage]:
        """Return all waiting messages."""
        due = [message for messages in self._due.values() for message in messages]
        return due + [message for _, _, message in self._delayed]
