# Copied from layers/scheduling/scheduling/domain by scripts/vendor_rules.py. Do not edit.
"""An exact sliding window of accepted writes (contract, section 1: at most 10 in any 60 s).

The window has as many slots as it admits writes, and each accepted write holds one slot for the whole length of the
window. So no 60 seconds ever contain more writes than that.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from extension_sdk_rules.errors import RateLimited

WINDOW_LENGTH = timedelta(seconds=60)
_MAX_FREE_SLOTS = 64


@dataclass(frozen=True, slots=True)
class RateLimitWindow:
    """A window that is written as a whole: the times of recent writes by slot, and the number of all writes so far."""

    writes: Mapping[int, datetime] = field(default_factory=dict)
    write_sequence: int = 0

    def with_write(self, slot_count: int, now: datetime) -> "RateLimitWindow":
        """Return the window with one more write.

        Raises:
            RateLimited: No slot is free.
        """
        slot = find_free_slot(self.writes, slot_count, now)
        recent = {other: at for other, at in self.writes.items() if at > now - WINDOW_LENGTH}
        return RateLimitWindow({**recent, slot: now}, self.write_sequence + 1)

    def next_free_time(self, now: datetime) -> datetime:
        """Return the present millisecond, or the one after the newest write, so that no two writes have the same."""
        millisecond = timedelta(milliseconds=1)
        present = now.replace(microsecond=now.microsecond // 1000 * 1000)
        return max([present, *(at + millisecond for at in self.writes.values())])


def find_free_slot(writes: Mapping[int, datetime], slot_count: int, now: datetime) -> int:
    """Return one of the slots that no write of the last 60 s holds.

    The choice is random, because concurrent writers that choose the same slot have to retry.

    Raises:
        RateLimited: No slot is free; the error has the seconds until one is.
    """
    free_slots = []
    for slot in range(slot_count):
        if slot not in writes or writes[slot] <= now - WINDOW_LENGTH:
            free_slots.append(slot)
            if len(free_slots) == _MAX_FREE_SLOTS:
                break
    if not free_slots:
        oldest = min(writes[slot] for slot in range(slot_count))
        raise RateLimited(max(1, math.ceil((oldest + WINDOW_LENGTH - now).total_seconds())))
    return random.choice(free_slots)  # noqa: S311 - spreads load, guards nothing
