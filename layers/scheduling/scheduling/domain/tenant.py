"""A tenant: one customer of the platform with all of its installs, which can be paused as a whole."""

from dataclasses import dataclass, replace
from datetime import datetime

from scheduling.domain.ids import SYSTEM, InstallId, ScheduleId, parse_install_id, parse_schedule_id
from scheduling.domain.install import Install


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Whether the tenant is paused, and how far that is propagated to its installs.

    Attributes:
        generation: Counts the changes; 0 if the tenant was never paused.
        paused_since: When it was paused, if it is; None also of one that an earlier release has paused.
        pending_since: Set while the newest change may not be propagated to all installs.
        propagation_cursor: The change is propagated to the installs up to this one, in the order of their ids.
        unreadable: Why the stored row cannot be used, if it cannot; the next pause or resume replaces it.
    """

    id: str
    paused: bool = False
    generation: int = 0
    changed_by: str = SYSTEM
    paused_since: datetime | None = None
    pending_since: datetime | None = None
    propagation_cursor: InstallId | None = None
    unreadable: str | None = None

    def with_paused(self, *, paused: bool, actor: str, now: datetime) -> "Tenant":
        """Return the tenant paused or resumed, with the change still to be propagated."""
        return replace(
            self,
            paused=paused,
            paused_since=now if paused else None,
            generation=self.generation + 1,
            changed_by=actor,
            pending_since=now,
            propagation_cursor=None,
            unreadable=None,
        )


@dataclass(frozen=True, slots=True)
class TenantCursor:
    """A position in the list of a tenant's schedules: after that schedule.

    `created_at` is the text that is stored, since the order depends on it.
    """

    install_id: InstallId
    schedule_id: ScheduleId
    created_at: str

    @classmethod
    def parse_position(cls, text: str) -> "TenantCursor | None":
        """Return the cursor of a text that `position` returned, or None for any other."""
        install_text, schedule_text, created_at = (*text.split(" ", 2), "", "")[:3]
        install_id, schedule_id = parse_install_id(install_text), parse_schedule_id(schedule_text)
        if install_id is None or schedule_id is None or not created_at:
            return None
        return cls(install_id, schedule_id, created_at)

    @property
    def position(self) -> str:
        """The cursor as text."""
        return f"{self.install_id} {self.schedule_id} {self.created_at}"


def with_tenant_propagated(install: Install, tenant: Tenant, now: datetime) -> Install:
    """Return the install with the tenant's newest change, still to be propagated to its schedules.

    The generation changes even if `paused` does not, because a concurrent propagation of an older change of the
    tenant may be about to write.
    """
    if install.paused == tenant.paused:
        return install.with_changes(install.changed_by, propagated_generation=tenant.generation)
    return install.with_changes(
        tenant.changed_by, paused=tenant.paused, propagated_generation=tenant.generation, pending_since=now
    )
