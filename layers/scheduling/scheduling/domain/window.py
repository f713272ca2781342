"""An exact sliding window of accepted writes (contract, section 1: at most 10 in any 60 s).

Each accepted write takes one of as many slots as the window admits, for its whole length: so no 60 seconds ever
see more.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scheduling.domain.errors import RateLimited

WINDOW = timedelta(seconds=60)
_CHOICE = 64


@dataclass(frozen=True, slots=True)
class Window:
    """A window that is written as a whole: the times of recent writes by slot, and how many writes it ever saw."""

    writes: Mapping[int, datetime] = field(default_factory=dict)
    sequence: int = 0

    def taken(self, size: int, now: datetime) -> "Window":
        """With one more write. Raises RateLimited."""
        slot = free_slot(self.writes, size, now)
        recent = {other: at for other, at in self.writes.items() if at > now - WINDOW}
        return Window({**recent, slot: now}, self.sequence + 1)


def free_slot(writes: Mapping[int, datetime], size: int, now: datetime) -> int:
    """One of the `size` slots that no write of the last 60 s holds, or RateLimited with the seconds until there is.

    Taken at random: concurrent writers who choose the same slot have to try again.
    """
    free = []
    for slot in range(size):
        if slot not in writes or writes[slot] <= now - WINDOW:
            free.append(slot)
            if len(free) == _CHOICE:
                break
    if not free:
        oldest = min(writes[slot] for slot in range(size))
        raise RateLimited(max(1, math.ceil((oldest + WINDOW - now).total_seconds())))
    return random.choice(free)  # noqa: S311 - spreads load, guards nothing
