"""The idempotency key of a request, and the record of its first result (contract, section 2)."""

from dataclasses import dataclass
from datetime import timedelta

from scheduling.domain.schedule import Schedule

IDEMPOTENCY_TTL = timedelta(hours=24)
"""How long an idempotency record is valid."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The idempotency key of a request, and a hash of its body."""

    value: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """The first write with an idempotency key, and the schedule that it created, without its payload."""

    key: IdempotencyKey
    schedule: Schedule
