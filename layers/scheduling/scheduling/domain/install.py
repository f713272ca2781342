"""An install of an extension, its version, and its window of accepted writes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from scheduling.domain.endpoints import Endpoint
from scheduling.domain.errors import CapabilityDenied, InstallNotFound, QuotaExceeded
from scheduling.domain.ids import SYSTEM, InstallId, new_generation
from scheduling.domain.window import find_free_slot

SCHEDULER_MANAGE = "cap:scheduler.manage"


ALWAYS_GRANTED = frozenset({"cap:context.read", "cap:log.emit", "cap:user.read"})


KNOWN_CAPABILITIES = ALWAYS_GRANTED | {
    "cap:secrets.get",
    "cap:http.fetch",
    "cap:storage.kv",
    "cap:ui.proxy",
    SCHEDULER_MANAGE,
}


def select_known_capabilities(names: Iterable[str]) -> frozenset[str]:
    """The known ones among `names`, trimmed and case-folded; unknown ones are dropped."""
    return frozenset(name.strip().casefold() for name in names) & KNOWN_CAPABILITIES


@dataclass(frozen=True, slots=True)
class Limits:
    """Defaults are the contract's."""

    max_schedules_per_install: int = 50
    min_interval_minutes: int = 5
    writes_per_minute: int = 10
    max_payload_bytes: int = 100_000
    run_history_days: int = 30


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
    what it read; an install registered anew under the same id begins elsewhere. `writes` holds the times of recent
    accepted writes by slot; a slot is free again after the window. `pending_since` is set while its schedules may
    not have followed a change; `dropped` then has the endpoints, as `METHOD /path`, whose schedules that change
    disables. `paused` as its tenant is, up to the tenant's change `followed`. `changed_by` made the newest change.
    """

    id: InstallId
    tenant_id: str
    registry_id: str
    version_id: str
    content_hash: str
    granted_capabilities: frozenset[str]
    enabled: bool
    paused: bool = False
    propagated_generation: int = 0
    deleting: bool = False
    removed_endpoints: frozenset[str] = frozenset()
    changed_by: str = SYSTEM
    generation: int = field(default_factory=new_generation)
    write_sequence: int = 0
    schedule_count: int = 0
    writes: Mapping[int, datetime] = field(default_factory=dict)
    pending_since: datetime | None = None

    @property
    def active(self) -> bool:
        """Whether its schedules are to fire."""
        return self.enabled and not self.paused and not self.deleting

    @property
    def declared_state(self) -> "Install":
        """What the platform said of it, without what its extension's writes change."""
        install = replace(self, write_sequence=0, schedule_count=0, writes={}, pending_since=None)
        return replace(install, removed_endpoints=frozenset())

    def with_changes(self, actor: str, **fields: object) -> "Install":
        """With the fields given, by the platform: whatever was read of it before is out of date."""
        return replace(self, generation=self.generation + 1, changed_by=actor, **fields)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallConfig:
    """What a run hands to the runner beside the install; both JSON texts of objects."""

    config: str = "{}"
    secret_envelope: str = "{}"  # noqa: S105 - an empty JSON object


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteReservation:
    """What must still hold of the install when a write of its extension is made, and the slot it takes."""

    generation: int
    slot: int
    reserved_at: datetime
    max_schedules: int


def require_manageable(install: Install | None) -> Install:
    """The install, if its extension may manage schedules. Raises InstallNotFound or CapabilityDenied."""
    if install is None or install.deleting or not install.enabled:
        raise InstallNotFound
    if SCHEDULER_MANAGE not in install.granted_capabilities:
        raise CapabilityDenied(SCHEDULER_MANAGE)
    return install


def check_quota(install: Install, limits: Limits) -> None:
    """Raises QuotaReached where the install has no place for one more schedule."""
    if install.schedule_count >= limits.max_schedules_per_install:
        raise QuotaExceeded(limits.max_schedules_per_install)


def reserve_write(install: Install, limits: Limits, now: datetime) -> WriteReservation:
    """Room for one more write in the install's window. Raises RateLimited."""
    return WriteReservation(
        generation=install.generation,
        slot=find_free_slot(install.writes, limits.writes_per_minute, now),
        reserved_at=now,
        max_schedules=limits.max_schedules_per_install,
    )
