"""A tenant: all that one customer of the platform has installed, which can be paused as a whole."""

from dataclasses import dataclass, replace
from datetime import datetime

from scheduling.domain.ids import SYSTEM, InstallId
from scheduling.domain.install import Install


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Whether nothing of the tenant is to fire, and how far its installs have followed.

    `generation` counts the changes; 0 is a tenant that was never paused. `pending_since` is set while installs may
    not have followed; those up to `followed_until`, in the order of their ids, have.
    """

    id: str
    paused: bool = False
    generation: int = 0
    changed_by: str = SYSTEM
    pending_since: datetime | None = None
    propagation_cursor: InstallId | None = None

    def with_paused(self, *, paused: bool, actor: str, now: datetime) -> "Tenant":
        """Paused or resumed, its installs still to follow."""
        return replace(
            self,
            paused=paused,
            generation=self.generation + 1,
            changed_by=actor,
            pending_since=now,
            propagation_cursor=None,
        )


def with_tenant_propagated(install: Install, tenant: Tenant, now: datetime) -> Install:
    """The install after the tenant's newest change, its own schedules still to follow.

    One that is already so is changed too: whoever follows an older change of the tenant may be about to write.
    """
    if install.paused == tenant.paused:
        return install.with_changes(install.changed_by, propagated_generation=tenant.generation)
    return install.with_changes(
        tenant.changed_by, paused=tenant.paused, propagated_generation=tenant.generation, pending_since=now
    )
