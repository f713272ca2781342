"""The platform's kill switch and its view of a tenant (contract, section 3)."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from scheduling.domain.errors import Conflict, Unavailable
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.domain.tenant import Tenant, following
from scheduling.operations.installs.propagate import apply_or_leave
from scheduling.operations.services import Services
from scheduling.operations.sync.optimistic_writes import write_install, write_tenant

logger = logging.getLogger(__name__)

SECONDS = 10.0
"""Bound of the work of one call; what is left is done by the same call again, or by the reconciler."""

PAGE = 100
"""Installs that are read of a tenant at a time."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the list of a tenant's schedules: behind that schedule, or with None, behind the whole install."""

    install_id: InstallId
    schedule_id: ScheduleId | None


@dataclass(frozen=True, slots=True)
class TenantPage:
    """Schedules with their installs; `next_after` is where to go on, where there may be more."""

    schedules: Sequence[tuple[Install, Schedule]]
    next_after: Place | None


@dataclass(frozen=True, slots=True)
class Turned:
    """A tenant paused or resumed; `installs` have followed in this call, and with `complete`, all have."""

    tenant: Tenant
    installs: int
    complete: bool


def turn_tenant(services: Services, tenant_id: str, *, paused: bool, by: str) -> Turned:
    """Stop or resume the firing of all schedules of all installs of the tenant, those to come included.

    An install that has followed fires no more at once; its timers follow. The same call again goes on where the
    last one stopped, and so does the reconciler. Raises Unavailable, and then the tenant is as it was, or
    Uncertain.
    """
    tenant = services.retry(lambda: _turn(services, tenant_id, paused, by))
    try:
        return follow_tenant(services, tenant)
    except Unavailable as failed:
        logger.warning("installs of tenant %s are left to the reconciler: %s", tenant_id, failed)
        return Turned(tenant, 0, complete=False)


def follow_tenant(services: Services, tenant: Tenant) -> Turned:
    """Bring the installs of the tenant after it, as many as the time allows. Raises Unavailable."""
    deadline = services.monotonic() + SECONDS
    changed: list[Install] = []
    installs = 0
    while tenant.pending_since:
        if services.monotonic() > deadline:
            return Turned(tenant, installs, complete=False)
        page = services.tenants.installs(tenant.id, tenant.followed_until, PAGE)
        for install_id in page:
            changed += services.retry(partial(_follow, services, install_id, tenant))
        installs += len(page)
        last = len(page) < PAGE
        progress = replace(tenant, pending_since=None) if last else replace(tenant, followed_until=page[-1])
        _keep(services, tenant, progress)
        tenant = progress
    for install in changed:
        if services.monotonic() < deadline:
            apply_or_leave(services, install)
    return Turned(tenant, installs, complete=True)


def list_tenant_schedules(
    services: Services, tenant_id: str, *, after: Place | None = None, limit: int, max_bytes: int
) -> TenantPage:
    """The schedules of all installs of the tenant, install by install, each oldest first. Raises Unavailable."""
    deadline = services.monotonic() + SECONDS
    found: list[tuple[Install, Schedule]] = []
    room = max_bytes
    for place in _places(services, tenant_id, after):
        page = services.schedules.page(
            place.install_id, after=place.schedule_id, limit=limit + 1 - len(found), max_bytes=room
        )
        if page.install:
            found += [(page.install, schedule.under(page.install)) for schedule in page.schedules]
        room -= sum(schedule.payload_bytes for schedule in page.schedules)
        if len(found) > limit:
            install, last = found[limit - 1]
            return TenantPage(found[:limit], Place(install.id, last.id))
        if page.next_after:
            return TenantPage(found, Place(place.install_id, page.next_after))
        if services.monotonic() > deadline:
            return TenantPage(found, Place(place.install_id, None))
    return TenantPage(found, None)


def _places(services: Services, tenant_id: str, after: Place | None) -> Iterator[Place]:
    """Where to go on in each install, from behind `after` on."""
    if after and after.schedule_id:
        yield after
    last = after.install_id if after else None
    while page := services.tenants.installs(tenant_id, last, PAGE):
        yield from (Place(install_id, None) for install_id in page)
        last = page[-1]


def _turn(services: Services, tenant_id: str, paused: bool, by: str) -> Tenant:
    tenant = services.tenants.read(tenant_id)
    if tenant.paused == paused:
        return tenant
    turned = tenant.turned(paused=paused, by=by, now=services.clock())
    write_tenant(services, tenant, turned)
    return turned


def _keep(services: Services, tenant: Tenant, progress: Tenant) -> None:
    try:
        services.tenants.replace(tenant, progress)
    except Conflict as conflict:
        raise Unavailable("The tenant was paused or resumed anew meanwhile") from conflict


def _follow(services: Services, install_id: InstallId, tenant: Tenant) -> Sequence[Install]:
    """The install, if this has changed it. One that is being deleted has nothing left to follow with."""
    install = services.schedules.read(install_id).install
    if install is None or install.deleting or install.followed >= tenant.generation:
        return []
    after = following(install, tenant, services.clock())
    write_install(services, install, after, partial(services.installs.replace, install, after))
    return [after] if after.paused != install.paused else []
