"""A model of SQS's fair queues: the messages of noisy groups wait behind the others.

By its documentation, a group is noisy that has more than a tenth of the messages in flight, and at least 30, or more
than a tenth of the recent processing time. Assumed are five minutes for "recent", the oldest message first among the
other groups, and the fewest messages in flight first among noisy ones.
"""

from collections import Counter, defaultdict, deque
from heapq import heappop, heappush
from math import exp

from scheduling.domain.fire_events import FireEvent

NOISY_SHARE, MIN_NOISY_MESSAGES = 0.1, 30
RECENT_SECONDS = 300
Message = tuple[float, int, FireEvent | None]
"""When the queue has accepted it, the occurrence, and the event; None for the one that the timer sends."""


class FairQueue:
    """The messages that can be received, in groups."""

    def __init__(self) -> None:
        self.in_flight: Counter[str] = Counter()
        self._messages: defaultdict[str, deque[Message]] = defaultdict(deque)
        self._quiet_heads: list[tuple[float, str]] = []
        self._noisy: set[str] = set()
        self._spent: dict[str, tuple[float, float]] = {}
        self._total_in_flight = 0
        self._total_spent = (0.0, 0.0)
        self.length = 0

    def send(self, group: str, message: Message) -> None:
        """Add a message that can be received now."""
        messages = self._messages[group]
        messages.append(message)
        self.length += 1
        if len(messages) == 1 and group not in self._noisy:
            heappush(self._quiet_heads, (message[0], group))

    def receive(self, now: float) -> tuple[str, Message]:
        """Remove and return the next message and its group; there has to be one."""
        self._forgive_groups(now)
        group = self._find_quiet_group(now) or self._find_noisy_group()
        messages = self._messages[group]
        message = messages.popleft()
        if messages and group not in self._noisy:
            heappush(self._quiet_heads, (messages[0][0], group))
        self.length -= 1
        self.in_flight[group] += 1
        self._total_in_flight += 1
        return group, message

    def finish(self, group: str, now: float, seconds: float) -> None:
        """Count a message as processed, which has taken that long."""
        self.in_flight[group] -= 1
        self._total_in_flight -= 1
        self._spent[group] = (now, _decay(self._spent.get(group, (now, 0.0)), now) + seconds)
        self._total_spent = (now, _decay(self._total_spent, now) + seconds)

    def list_occurrences(self) -> list[int]:
        """Return the occurrences of all messages."""
        return [occurrence for messages in self._messages.values() for _, occurrence, _ in messages]

    def _find_quiet_group(self, now: float) -> str | None:
        while self._quiet_heads:
            _, group = heappop(self._quiet_heads)
            if group in self._noisy or not self._messages[group]:
                continue
            if not self._is_noisy(group, now):
                return group
            self._noisy.add(group)
        return None

    def _find_noisy_group(self) -> str:
        waiting = (each for each in self._noisy if self._messages[each])
        return min(waiting, key=lambda each: (self.in_flight[each], self._messages[each][0][0], each))

    def _forgive_groups(self, now: float) -> None:
        for group in sorted(self._noisy):
            if not self._is_noisy(group, now):
                self._noisy.remove(group)
                if self._messages[group]:
                    heappush(self._quiet_heads, (self._messages[group][0][0], group))

    def _is_noisy(self, group: str, now: float) -> bool:
        in_flight = self.in_flight[group]
        if in_flight >= MIN_NOISY_MESSAGES and in_flight > NOISY_SHARE * self._total_in_flight:
            return True
        spent = self._spent.get(group)
        return spent is not None and _decay(spent, now) > NOISY_SHARE * _decay(self._total_spent, now)


def _decay(value: tuple[float, float], now: float) -> float:
    since, amount = value
    return amount * exp((since - now) / RECENT_SECONDS)
