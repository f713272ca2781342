"""A schedule: what its owner defined, and where it stands between the table and EventBridge."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from scheduling.domain.ids import HOST_API, SYSTEM, InstallId, ScheduleId, new_token
from scheduling.domain.install import Install


class ScheduleState(StrEnum):
    """Whether a schedule exists for its owner."""

    ACTIVE = "active"
    DELETING = "deleting"
    """Deleted, its timer perhaps not yet; still holds its name and its place in the count."""
    ROLLED_BACK = "rolled_back"
    """A create that failed half-way and was taken back; holds nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What the owner sets; every field has passed its rule. `payload` is compact JSON text."""

    endpoint_method: str
    endpoint_path: str
    cron: str
    timezone: str
    enabled: bool
    name: str | None
    payload: str | None

    @property
    def endpoint(self) -> str:
        """Method and path, as a caller may name it."""
        return f"{self.endpoint_method} {self.endpoint_path}"

    def keeps_disabled_reason(self, previous: "Definition") -> bool:
        """Whether what disabled the other definition for want of its endpoint still holds for this one."""
        return not self.enabled and self.endpoint == previous.endpoint

    def has_same_timer(self, other: "Definition") -> bool:
        """Whether EventBridge needs no change to go from the other definition to this one."""
        if not (self.enabled or other.enabled):
            return True
        timer_fields = (self.enabled, self.cron, self.timezone)
        return timer_fields == (other.enabled, other.cron, other.timezone)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The newest finished run; `status` is `success` or `error`."""

    started_at: datetime
    status: str
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One row: the desired state that EventBridge is made to match.

    `revision` counts the owner's changes. `timer_revision` numbers what EventBridge must hold; fires of any
    other number are not run, and `last_timer_revision` is the highest one used, by a change since taken back
    too. From `timer_since` on it fires as it now does, and up to `checked_until` the history was found whole
    or made so. `pending_since` is set while EventBridge may differ from the row. `held_name` is a former name that
    stays taken until the change that dropped it is settled. `suspended` while its install is disabled or paused,
    up to the install's change `followed`. `disabled_reason` is set where the platform disabled it. `change_token`
    is new with each change, the platform's included: a write depends on it, and whoever made a change knows it
    again by it; `changed_by` is who. `tenant_id` is the install's, for the audit.
    """

    id: ScheduleId
    install_id: InstallId
    tenant_id: str
    definition: Definition
    created_at: datetime
    revision: int = 1
    timer_revision: int = 1
    last_timer_revision: int = 1
    timer_since: datetime | None = None
    checked_until: datetime | None = None
    pending_since: datetime | None = None
    state: ScheduleState = ScheduleState.ACTIVE
    held_name: str | None = None
    suspended: bool = False
    propagated_generation: int = 0
    disabled_reason: str | None = None
    changed_by: str = HOST_API
    change_token: str = field(default_factory=new_token)
    running_occurrence: str | None = None
    lease_expires_at: datetime | None = None
    last_run: LastRun | None = None

    @property
    def pending(self) -> bool:
        """Whether EventBridge may differ."""
        return self.pending_since is not None

    @property
    def reserved_names(self) -> frozenset[str]:
        """The names that no other schedule of the install may take."""
        if self.state is ScheduleState.ROLLED_BACK:
            return frozenset()
        return frozenset(name for name in (self.definition.name, self.held_name) if name)

    @property
    def counts_toward_quota(self) -> bool:
        """Whether it takes a place in the install's quota."""
        return self.state is not ScheduleState.ROLLED_BACK

    @property
    def should_have_timer(self) -> bool:
        """Whether it is to fire, and so to have a timer."""
        return self.state is ScheduleState.ACTIVE and self.definition.enabled and not self.suspended

    @property
    def payload_bytes(self) -> int:
        """What its payload takes in an answer of Lambda, which is one JSON string."""
        return len(json.dumps(self.definition.payload, ensure_ascii=False).encode())

    def with_definition(self, definition: Definition, now: datetime) -> "Schedule":
        """With another definition; pending where EventBridge has to follow."""
        schedule = replace(
            self,
            definition=definition,
            revision=self.revision + 1,
            change_token=new_token(),
            changed_by=HOST_API,
            disabled_reason=self.disabled_reason
            if definition.keeps_disabled_reason(self.definition)
            else None,
        )
        if definition.has_same_timer(self.definition):
            return schedule
        timer_revision = self.last_timer_revision + 1
        held_name = self.definition.name if self.definition.name != definition.name else None
        return replace(
            schedule,
            timer_revision=timer_revision,
            last_timer_revision=timer_revision,
            timer_since=now,
            pending_since=now,
            held_name=held_name,
        )

    def marked_deleted(self, now: datetime, actor: str = HOST_API) -> "Schedule":
        """Deleted, its timer still to go."""
        return replace(self.marked_pending(now), state=ScheduleState.DELETING, changed_by=actor)

    def rolled_back(self, now: datetime) -> "Schedule":
        """A create taken back, its timer still to go."""
        return replace(self.marked_pending(now), state=ScheduleState.ROLLED_BACK, changed_by=SYSTEM)

    def rollback_to(self, failed: "Schedule", now: datetime) -> "Schedule":
        """This state again in place of the `failed` change that followed it; its timer may still stand."""
        last_timer_revision = failed.last_timer_revision
        return replace(
            self.marked_pending(now),
            last_timer_revision=last_timer_revision,
            held_name=None,
            changed_by=SYSTEM,
        )

    def marked_pending(self, now: datetime) -> "Schedule":
        """The same for its owner, with EventBridge to be looked at."""
        return replace(self, pending_since=now, change_token=new_token())

    def with_install_applied(self, install: Install) -> "Schedule":
        """As it stands since the install's newest change, which its row may not have followed yet."""
        if self.definition.endpoint not in install.removed_endpoints or self.disabled_reason:
            return self
        return replace(
            self,
            definition=replace(self.definition, enabled=False),
            revision=self.revision + 1,
            disabled_reason=f"Version {install.version_id} has no endpoint {self.definition.endpoint}",
        )

    def with_install_propagated(self, install: Install, now: datetime) -> "Schedule":
        """After the install's newest change: suspended or not, and disabled where its endpoint was dropped."""
        suspended = not install.active
        return replace(
            self.with_install_applied(install).marked_pending(now),
            suspended=suspended,
            timer_since=now if self.suspended and not suspended else self.timer_since,
            propagated_generation=install.generation,
            changed_by=install.changed_by,
        )

    def synced(self) -> "Schedule | None":
        """Once EventBridge matches: no longer pending, or gone."""
        if self.state is not ScheduleState.ACTIVE:
            return None
        return replace(self, pending_since=None, held_name=None)


IDEMPOTENCY_TTL = timedelta(hours=24)
"""How long a write is remembered by its key."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The key of a request, and a hash of what it asks for."""

    value: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """A write remembered by its key, and the schedule as it then was, without its payload."""

    key: IdempotencyKey
    schedule: Schedule
