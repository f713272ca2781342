"""An install of an extension, its version, its limits, and the writes that it may make."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from scheduling.domain.endpoints import Endpoint
from scheduling.domain.errors import CapabilityDenied, InstallNotFound, QuotaExceeded, SchedulingError
from scheduling.domain.ids import HOST_API, SYSTEM, InstallId, is_admin, new_generation
from scheduling.domain.window import find_free_slot

SCHEDULER_MANAGE = "cap:scheduler.manage"
ALWAYS_GRANTED = frozenset({"cap:context.read", "cap:log.emit", "cap:user.read"})
KNOWN_CAPABILITIES = ALWAYS_GRANTED | {
    "cap:secrets.get",
    "cap:http.fetch",
    "cap:storage.kv",
    "cap:ui.proxy",
    "cap:invoice.manual.create",
    "cap:client.read",
    "cap:service.read",
    SCHEDULER_MANAGE,
}


def normalize_capabilities(names: Iterable[str]) -> frozenset[str]:
    """Return the names in the form in which capabilities are compared: trimmed and case-folded."""
    return frozenset(name.strip().casefold() for name in names)


QUEUE_RETENTION = timedelta(days=14)
"""How long the queue of occurrences keeps a message, and the dead-letter queue too."""


class CatchUp(StrEnum):
    """What becomes of an occurrence that is late, when a newer one of its schedule is due."""

    LATEST = "latest"
    """The newest one runs in its place."""
    ALL = "all"
    """Each runs, one after the other."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of an install and of its runs; the defaults are the contract's."""

    max_schedules_per_install: int = 50
    min_interval_minutes: int = 5
    writes_per_minute: int = 10
    max_payload_bytes: int = 100_000
    run_history_days: int = 30
    catch_up: CatchUp = CatchUp.LATEST
    max_wait_hours: int = 72
    pause_after_failures: int = 0
    default_spread_minutes: int = 0

    @property
    def history(self) -> timedelta:
        """How long an occurrence is shown in the history."""
        return timedelta(days=self.run_history_days)

    @property
    def run_retention(self) -> timedelta:
        """How long a run is kept: at least as long as any message, so that a late dead letter finds it."""
        return max(self.history, 2 * QUEUE_RETENTION + self.max_wait)

    @property
    def max_wait(self) -> timedelta:
        """How long an occurrence may wait for capacity."""
        return timedelta(hours=self.max_wait_hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of an extension with its endpoints, by path then method; immutable."""

    id: str
    manifest_hash: str
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Install:
    """One extension in one tenant, at one version.

    Attributes:
        extension_name: The manifest's name; None for an install that an earlier release registered.
        extension_version: The manifest's version; likewise.
        paused: Whether the tenant is paused, up to the tenant's generation `propagated_generation`.
        removed_endpoints: While `pending_since` is set, the endpoints, as `METHOD /path`, whose schedules the newest
            change disables.
        changed_by: The actor of the newest change.
        disabled_since: When it was disabled, if it is; None also of one that an earlier release has disabled.
        ungranted_since: When it lost `cap:scheduler.manage` while it had schedules, if it still lacks it; likewise.
        generation: Counts the platform's changes, so that a write can depend on what it read. An install that is
            registered again under the same id starts at another number.
        write_sequence: Counts the extension's writes, for the same purpose.
        writes: The times of recent accepted writes by slot; a slot is free again after the window.
        pending_since: Set while a change may not be propagated to all schedules.
        unreadable: Why the stored row cannot be used, if it cannot; it has defaults in place of attributes that cannot
            be read. None of its schedules fires until it is registered again.
    """

    id: InstallId
    tenant_id: str
    registry_id: str
    version_id: str
    content_hash: str
    granted_capabilities: frozenset[str]
    enabled: bool
    extension_name: str | None = None
    extension_version: str | None = None
    paused: bool = False
    propagated_generation: int = 0
    deleting: bool = False
    removed_endpoints: frozenset[str] = frozenset()
    changed_by: str = SYSTEM
    generation: int = field(default_factory=new_generation)
    write_sequence: int = 0
    schedule_count: int = 0
    writes: Mapping[int, datetime] = field(default_factory=dict)
    disabled_since: datetime | None = None
    ungranted_since: datetime | None = None
    pending_since: datetime | None = None
    unreadable: str | None = None

    @property
    def active(self) -> bool:
        """Whether its schedules may fire."""
        return self.enabled and not self.paused and not self.deleting and not self.unreadable

    @property
    def declared_state(self) -> "Install":
        """The state that the platform declared, without what the extension's writes change."""
        return replace(
            self,
            write_sequence=0,
            schedule_count=0,
            writes={},
            pending_since=None,
            removed_endpoints=frozenset(),  # emptied once the change is propagated
        )

    def with_changes(self, actor: str, **fields: object) -> "Install":
        """Return the install with the platform's changes, in a new generation."""
        return replace(self, generation=self.generation + 1, changed_by=actor, **fields)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallConfig:
    """What a run passes to the runner besides the install; both are JSON texts of objects."""

    config: str = "{}"
    secret_envelope: str = "{}"  # noqa: S105 - an empty JSON object


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteReservation:
    """The slot that a write of the extension takes, and the conditions on the install that the write depends on.

    `slot` is None for a write of the platform, which takes none.
    """

    generation: int
    slot: int | None
    reserved_at: datetime
    max_schedules: int


def require_manageable(install: Install | None, actor: str = HOST_API) -> Install:
    """Return the install if its schedules may be managed: by its extension only while it is enabled.

    Raises:
        InstallNotFound: The install does not exist, is being deleted, or is disabled for the actor.
        CapabilityDenied: The install lacks `cap:scheduler.manage`.
        SchedulingError: The install cannot be read.
    """
    if install is not None and install.unreadable:
        raise SchedulingError(f"install {install.id} cannot be read: {install.unreadable}")
    if install is None or install.deleting or not (install.enabled or is_admin(actor)):
        raise InstallNotFound
    if SCHEDULER_MANAGE not in install.granted_capabilities:
        raise CapabilityDenied(SCHEDULER_MANAGE)
    return install


def check_quota(install: Install, limits: Limits) -> None:
    """Check that the install may have one more schedule.

    Raises:
        QuotaExceeded: It has the maximum number of schedules.
    """
    if install.schedule_count >= limits.max_schedules_per_install:
        raise QuotaExceeded(limits.max_schedules_per_install)


def reserve_write(install: Install, limits: Limits, now: datetime, actor: str = HOST_API) -> WriteReservation:
    """Reserve a slot for one more write in the install's window; those of the platform's admins do not count.

    Raises:
        RateLimited: No slot is free.
    """
    return WriteReservation(
        generation=install.generation,
        slot=None if is_admin(actor) else find_free_slot(install.writes, limits.writes_per_minute, now),
        reserved_at=now,
        max_schedules=limits.max_schedules_per_install,
    )
