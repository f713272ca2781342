"""An install of an extension, its version, and its window of accepted writes."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from scheduling.domain.capabilities import SCHEDULER_MANAGE
from scheduling.domain.endpoints import Endpoint
from scheduling.domain.errors import CapabilityDenied, InstallNotFound, QuotaReached, RateLimited
from scheduling.domain.ids import InstallId
from scheduling.domain.limits import Limits

WRITE_WINDOW = timedelta(seconds=60)
_SLOT_CHOICE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version's endpoints, by path then method; immutable."""

    id: str
    manifest_hash: str
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Install:
    """One extension in one tenant, at one version.

    `generation` counts the platform's changes and `sequence` the extension's, so that a write can depend on
    what it read. `writes` holds the times of recent accepted writes by slot; a slot is free again after the
    window. `pending_since` is set while the timers of its schedules may not have followed a change.
    """

    id: InstallId
    tenant_id: str
    registry_id: str
    version_id: str
    content_hash: str
    granted: frozenset[str]
    enabled: bool
    deleting: bool = False
    generation: int = 1
    sequence: int = 0
    schedule_count: int = 0
    writes: Mapping[int, datetime] = field(default_factory=dict)
    pending_since: datetime | None = None

    @property
    def active(self) -> bool:
        """Whether its schedules are to fire."""
        return self.enabled and not self.deleting

    @property
    def stated(self) -> "Install":
        """What the platform said of it, without what its extension's writes change."""
        return replace(self, sequence=0, schedule_count=0, writes={}, pending_since=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallConfig:
    """What a run hands to the runner beside the install; both JSON texts of objects."""

    config: str = "{}"
    secret_envelope: str = "{}"  # noqa: S105 - an empty JSON object


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What must still hold of the install when a write of its extension is made, and the slot it takes."""

    generation: int
    slot: int
    now: datetime
    max_schedules: int


def managed(install: Install | None) -> Install:
    """The install, if its extension may manage schedules. Raises InstallNotFound or CapabilityDenied."""
    if install is None or not install.active:
        raise InstallNotFound
    if SCHEDULER_MANAGE not in install.granted:
        raise CapabilityDenied(SCHEDULER_MANAGE)
    return install


def check_room(install: Install, limits: Limits) -> None:
    """Raises QuotaReached where the install has no place for one more schedule."""
    if install.schedule_count >= limits.max_schedules_per_install:
        raise QuotaReached(limits.max_schedules_per_install)


def accept_write(install: Install, limits: Limits, now: datetime) -> Acceptance:
    """Room for one more write in the exact sliding window, or RateLimited with the seconds until there is.

    Each accepted write takes one of as many slots as the window admits, for its whole length: so no 60
    seconds ever see more. Taken at random: concurrent writers who choose the same slot have to try again.
    """
    free = []
    for slot in range(limits.writes_per_minute):
        if slot not in install.writes or install.writes[slot] <= now - WRITE_WINDOW:
            free.append(slot)
            if len(free) == _SLOT_CHOICE:
                break
    if not free:
        raise RateLimited(_seconds_until_free(install, limits, now))
    return Acceptance(
        generation=install.generation,
        slot=random.choice(free),  # noqa: S311 - spreads load, guards nothing
        now=now,
        max_schedules=limits.max_schedules_per_install,
    )


def _seconds_until_free(install: Install, limits: Limits, now: datetime) -> int:
    oldest = min(install.writes[slot] for slot in range(limits.writes_per_minute))
    return max(1, math.ceil((oldest + WRITE_WINDOW - now).total_seconds()))
