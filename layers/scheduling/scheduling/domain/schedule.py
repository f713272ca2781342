"""A schedule: what its owner defined, and whether its timer in EventBridge matches."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from scheduling.domain.cron.eventbridge import are_same_rule
from scheduling.domain.cron.next_fire import find_next_fire
from scheduling.domain.cron.one_time import is_one_time
from scheduling.domain.ids import HOST_API, SYSTEM, InstallId, ScheduleId, digest_large_payload, new_token
from scheduling.domain.install import Install

PAUSED_AFTER_FAILURES = "paused after failures"
"""The reason why the service has disabled a schedule whose occurrences have failed too often in a row."""

COMPLETED = "completed"
"""The reason why the service has disabled a one-time schedule whose occurrence is finished for good."""

UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""In place of a time that cannot be read."""


class ScheduleState(StrEnum):
    """Whether a schedule exists for its owner."""

    ACTIVE = "active"
    DELETING = "deleting"
    """Deleted for its owner, though its timer may still exist; keeps its name and counts toward the quota."""
    ROLLED_BACK = "rolled_back"
    """A create that failed half-way and was rolled back; keeps no name and does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """The fields that the owner sets, all valid; `payload` is compact JSON text."""

    endpoint_method: str
    endpoint_path: str
    cron: str
    timezone: str
    enabled: bool
    name: str | None
    payload: str | None
    pause_after_failures: int | None = None
    spread_minutes: int | None = None

    @property
    def endpoint(self) -> str:
        """The endpoint as `METHOD /path`."""
        return f"{self.endpoint_method} {self.endpoint_path}"

    @property
    def is_one_time(self) -> bool:
        """Whether it fires once."""
        return is_one_time(self.cron)

    def keeps_disabled_reason(self, previous: "Definition", reason: str | None) -> bool:
        """Whether what the service disabled `previous` for still applies: completion, or a missing endpoint."""
        if self.enabled:
            return False
        if reason == COMPLETED:
            return self.timezone == previous.timezone and are_same_rule(self.cron, previous.cron)
        return self.endpoint == previous.endpoint

    def has_same_timer(self, other: "Definition") -> bool:
        """Whether EventBridge holds the same for both definitions; the same rule may be written in other words."""
        if not (self.enabled and other.enabled):
            return self.enabled == other.enabled
        return self.spread_minutes == other.spread_minutes and self.has_same_times(other)

    def has_same_times(self, other: "Definition") -> bool:
        """Return whether both definitions have the same occurrences while they are enabled."""
        same_zone = self.timezone.lower() == other.timezone.lower()
        return same_zone and are_same_rule(self.cron, other.cron)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The newest finished run; its status is `success` or `error`."""

    started_at: datetime
    status: str
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A schedule as stored: the desired state that its timer is made to match.

    Attributes:
        tenant_id: The install's tenant, for the audit.
        revision: The ETag: counts the owner's changes and what rolls them back, so that no number is used twice.
        timer_revision: The number that the timer must carry; fires with another number are not run.
        last_timer_revision: The highest timer revision used so far, by changes that were rolled back too.
        timer_since: The time from which on the schedule fires by its present rule.
        checked_until: The time up to which the history is known to be complete.
        pending_since: Set while the timer may differ from the desired state.
        held_name: The former name, which stays taken until the change that dropped it is synced.
        suspended: Whether its install is disabled or paused, up to the install's generation
            `propagated_generation`.
        disabled_reason: Set if the service disabled the schedule.
        consecutive_failures: How many occurrences have failed in a row by the extension's fault, since the last success
            or since it was enabled.
        unhealthy_since: Since when it fails or waits: the first run after its last success that did not succeed.
        waiting: Whether its newest attempt has found the runner without capacity.
        expires_at: When the row of a completed schedule is deleted.
        next_fire: The scheduled time of the next occurrence, as the last write or fire knew it; it may have passed.
        not_firing_reason: Why there is none, for readers; the row does not have it.
        unreadable: Why the stored row cannot be used, if it cannot. It has defaults in place of attributes that cannot
            be read; it never runs, and its timer is left as it is until its owner corrects or deletes it.
        incomplete: Whether even a field that each listed schedule has cannot be read.
        changed_by: The actor of the newest change.
        change_token: New with every change, the service's own included: a write depends on it, and a writer
            recognizes its own change by it.
        payload_digest: The digest of a payload that is in an item of its own. Where that item was not read, the
            definition has no payload.
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
    expires_at: datetime | None = None
    next_fire: str | None = None
    not_firing_reason: str | None = None
    changed_by: str = HOST_API
    change_token: str = field(default_factory=new_token)
    payload_digest: str | None = None
    running_occurrence: str | None = None
    lease_expires_at: datetime | None = None
    last_run: LastRun | None = None
    last_success_at: datetime | None = None
    consecutive_failures: int = 0
    unhealthy_since: datetime | None = None
    waiting: bool = False
    unreadable: str | None = None
    incomplete: bool = False

    @property
    def pending(self) -> bool:
        """Whether the timer may differ from the desired state."""
        return self.pending_since is not None

    @property
    def payload_identity(self) -> str | None:
        """What two schedules have in common exactly if their payloads are the same, wherever these are stored."""
        payload = self.definition.payload
        return self.payload_digest or digest_large_payload(payload) or payload

    @property
    def reserved_names(self) -> frozenset[str]:
        """The names that no other schedule of the install may take."""
        if not self.counts_toward_quota:
            return frozenset()
        return frozenset(name for name in (self.definition.name, self.held_name) if name)

    @property
    def counts_toward_quota(self) -> bool:
        """Whether it counts toward the install's quota."""
        return self.state is not ScheduleState.ROLLED_BACK and not self.completed

    @property
    def completed(self) -> bool:
        """Whether it is a one-time schedule whose occurrence is finished for good."""
        return self.disabled_reason == COMPLETED

    def exists_at(self, now: datetime) -> bool:
        """Whether it exists for its owner."""
        return self.state is ScheduleState.ACTIVE and (self.expires_at is None or self.expires_at > now)

    @property
    def should_have_timer(self) -> bool:
        """Whether it has to fire, and so needs a timer; that of a one-time rule is gone once its time has passed."""
        return self.state is ScheduleState.ACTIVE and self.definition.enabled and not self.suspended

    def with_definition(self, definition: Definition, now: datetime, actor: str = HOST_API) -> "Schedule":
        """Return the schedule with another definition, pending if its timer has to change.

        An unreadable schedule is readable from then on; what its timer is like is not known.
        """
        keeps_reason = definition.keeps_disabled_reason(self.definition, self.disabled_reason)
        schedule = replace(
            self,
            definition=definition,
            payload_digest=self._digest_of(definition),
            unreadable=None,
            revision=self.revision + 1,
            change_token=new_token(),
            changed_by=actor,
            disabled_reason=self.disabled_reason if keeps_reason else None,
            expires_at=self.expires_at if keeps_reason else None,
            consecutive_failures=0
            if definition.enabled and not self.definition.enabled
            else self.consecutive_failures,
        )
        if not self.unreadable and definition.has_same_timer(self.definition):
            return schedule
        keeps_times = (
            not self.unreadable
            and definition.enabled is self.definition.enabled
            and definition.has_same_times(self.definition)
        )
        timer_revision = self.last_timer_revision + 1
        former_name = self.definition.name  # which another schedule may have where this one was completed
        keeps_name = former_name in self.reserved_names - {definition.name}
        return replace(
            schedule,
            timer_revision=timer_revision,
            last_timer_revision=timer_revision,
            timer_since=self.timer_since if keeps_times else now,
            next_fire=find_next_fire(definition.cron, definition.timezone, now)
            if definition.enabled
            else None,
            pending_since=now,
            held_name=former_name if keeps_name else None,
        )

    def _digest_of(self, definition: Definition) -> str | None:
        if self.payload_digest and not self.unreadable and definition.payload == self.definition.payload:
            return self.payload_digest
        return digest_large_payload(definition.payload)

    def marked_deleted(self, now: datetime, actor: str = HOST_API) -> "Schedule":
        """Return the schedule as deleted, with its timer still to be deleted."""
        return replace(self.marked_pending(now), state=ScheduleState.DELETING, changed_by=actor)

    def rolled_back(self, now: datetime) -> "Schedule":
        """Return the schedule as a create that is rolled back, with its timer still to be deleted."""
        return replace(self.marked_pending(now), state=ScheduleState.ROLLED_BACK, changed_by=SYSTEM)

    def rollback_to(self, failed: "Schedule", now: datetime) -> "Schedule":
        """Return this state as the successor of the `failed` change, whose timer may still exist.

        It has a revision of its own, because readers may have got that of the failed change.
        """
        return replace(
            self.marked_pending(now),
            revision=failed.revision + 1,
            last_timer_revision=failed.last_timer_revision,
            pending_since=self.pending_since or now,
            held_name=None,
            changed_by=SYSTEM,
        )

    def marked_pending(self, now: datetime) -> "Schedule":
        """Return the schedule unchanged for its owner, with its timer still to be checked."""
        return replace(self, pending_since=now, change_token=new_token())

    def with_install_applied(self, install: Install) -> "Schedule":
        """Return the schedule with the install's newest change, which may not be propagated to its row yet."""
        if self.definition.endpoint not in install.removed_endpoints or self.disabled_reason:
            return self
        return replace(
            self,
            definition=replace(self.definition, enabled=False),
            revision=self.revision + 1,
            disabled_reason=f"Version {install.version_id} has no endpoint {self.definition.endpoint}",
        )

    def with_install_propagated(self, install: Install, now: datetime) -> "Schedule":
        """Return the schedule to store after the install's newest change.

        It is suspended or resumed, and disabled if its endpoint was removed.
        """
        suspended = not install.active
        return replace(
            self.with_install_applied(install).marked_pending(now),
            suspended=suspended,
            timer_since=now if self.suspended and not suspended else self.timer_since,
            propagated_generation=install.generation,
            changed_by=install.changed_by,
        )

    def synced(self) -> "Schedule | None":
        """Return the schedule after its timer matches: no longer pending, or None if its row is to be deleted."""
        if self.state is not ScheduleState.ACTIVE:
            return None
        return replace(self, pending_since=None, held_name=None)
