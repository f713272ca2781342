"""A write remembered by its idempotency key (contract, section 2)."""

from dataclasses import dataclass
from datetime import timedelta

from scheduling.domain.schedule import Schedule

KEY_LIFETIME = timedelta(hours=24)
"""How long a write is remembered by its key."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The key of a request, and a hash of what it asks for."""

    value: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class EarlierWrite:
    """A write remembered by its key, and the schedule as it then was, without its payload."""

    key: IdempotencyKey
    schedule: Schedule
