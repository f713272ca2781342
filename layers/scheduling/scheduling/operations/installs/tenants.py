"""The platform's kill switch and support view of a tenant (contract, section 3)."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from scheduling.domain.errors import Conflict, InvalidCursor, Unavailable, UnreadableItem
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.domain.tenant import Tenant, TenantCursor, with_tenant_propagated
from scheduling.operations.installs.propagate import try_propagate
from scheduling.operations.services import Services, retry_on_conflict
from scheduling.operations.sync.optimistic_writes import write_install, write_tenant

logger = logging.getLogger(__name__)

TIME_BUDGET = 10.0
"""Seconds that one call works; the same call again, or the reconciler, does the rest."""

PAGE_SIZE = 100
"""Installs of a tenant that are read at a time."""


@dataclass(frozen=True, slots=True)
class TenantPage:
    """Schedules with their installs; `next_after` is the cursor of the next page, if there may be one.

    `left_out` are those that lack a field which each listed schedule has.
    """

    schedules: Sequence[tuple[Install, Schedule]]
    next_after: TenantCursor | None
    left_out: Sequence[UnreadableItem] = ()


@dataclass(frozen=True, slots=True)
class PauseResult:
    """A tenant that is paused or resumed.

    `install_count` counts the installs that this call has changed with it; `complete` says that none is left.
    `failed_count` counts those that could not be changed: they are left to the reconciler.
    """

    tenant: Tenant
    install_count: int
    complete: bool
    failed_count: int = 0


def set_tenant_paused(services: Services, tenant_id: str, *, paused: bool, actor: str) -> PauseResult:
    """Stop or resume the firing of all schedules of all installs of the tenant, those of future installs included.

    An install that has been changed fires nothing from then on, while its timers are still being deleted. The same
    call again resumes where the last one stopped, and so does the reconciler.

    Raises:
        Unavailable: The tenant is as it was.
        UnconfirmedChange: The tenant may have been changed.
    """
    tenant = _write_paused(services, tenant_id, paused, actor)
    try:
        return propagate_tenant(services, tenant)
    except Unavailable as error:
        logger.warning("installs of tenant %s are left to the reconciler: %s", tenant_id, error)
        return PauseResult(tenant, 0, complete=False)


def propagate_tenant(services: Services, tenant: Tenant) -> PauseResult:
    """Pause or resume the installs of the tenant as it is, as many as the time allows.

    An install that cannot be changed blocks none of the others; the tenant then stays marked as pending.

    Raises:
        Unavailable: A system does not respond, or the tenant was paused or resumed meanwhile.
    """
    deadline = services.monotonic() + TIME_BUDGET
    changed_installs: list[Install] = []
    install_count = failed_count = 0
    is_last_page = not tenant.pending_since
    while not is_last_page:
        if services.monotonic() > deadline:
            return PauseResult(tenant, install_count, complete=False, failed_count=failed_count)
        page = services.tenants.read_install_ids(tenant.id, tenant.propagation_cursor, PAGE_SIZE)
        for install_id in page:
            try:
                changed_installs += _propagate_to_install(services, install_id, tenant)
            except Unavailable:
                raise
            except Exception:  # one install that cannot be changed must not block the others
                logger.exception("install %s is not changed with tenant %s", install_id, tenant.id)
                failed_count += 1
        install_count += len(page)
        is_last_page = len(page) < PAGE_SIZE
        progress = _next_progress(tenant, page, is_last_page=is_last_page, failed=failed_count > 0)
        _save_progress(services, tenant, progress)
        tenant = progress
    for install in changed_installs:
        if services.monotonic() < deadline:
            try_propagate(services, install)
    return PauseResult(tenant, install_count, complete=not failed_count, failed_count=failed_count)


def _next_progress(tenant: Tenant, page: Sequence[InstallId], *, is_last_page: bool, failed: bool) -> Tenant:
    if not is_last_page:
        return replace(tenant, propagation_cursor=page[-1])
    if failed:  # the reconciler starts over, and changes only those that are left
        return replace(tenant, propagation_cursor=None)
    return replace(tenant, pending_since=None)


def list_tenant_schedules(
    services: Services, tenant_id: str, *, after: TenantCursor | None = None, limit: int, max_bytes: int
) -> TenantPage:
    """Return the schedules of all installs of the tenant, install by install, each oldest first.

    Raises:
        InvalidCursor: `after` is in an install of another tenant.
    """
    page = _read_tenant_page(services, tenant_id, after, limit, max_bytes)
    for item in page.left_out:
        services.report_unreadable(item)
    return page


def _read_tenant_page(
    services: Services, tenant_id: str, after: TenantCursor | None, limit: int, max_bytes: int
) -> TenantPage:
    deadline = services.monotonic() + TIME_BUDGET
    schedules: list[tuple[Install, Schedule]] = []
    left_out: list[UnreadableItem] = []
    remaining_bytes = max_bytes
    for cursor in _install_cursors(services, tenant_id, after):
        page = services.schedules.read_schedule_page(
            cursor.install_id,
            now=services.clock(),
            after=cursor.schedule_id,
            limit=limit + 1 - len(schedules),
            max_bytes=remaining_bytes,
        )
        foreign = page.install is not None and page.install.tenant_id != tenant_id
        if foreign and cursor is after:
            raise InvalidCursor
        if page.install and not foreign:
            schedules += [(page.install, schedule.as_read(page.install)) for schedule in page.schedules]
            left_out += page.left_out
        elif page.install and page.install.unreadable:
            left_out.append(UnreadableItem("install", page.install.id, page.install.unreadable))
        remaining_bytes -= page.payload_bytes
        if len(schedules) > limit:
            install, last_schedule = schedules[limit - 1]
            return TenantPage(schedules[:limit], TenantCursor(install.id, last_schedule.id), left_out)
        if page.next_after:
            return TenantPage(schedules, TenantCursor(cursor.install_id, page.next_after), left_out)
        if services.monotonic() > deadline:
            return TenantPage(schedules, TenantCursor(cursor.install_id, None), left_out)
    return TenantPage(schedules, None, left_out)


def _install_cursors(
    services: Services, tenant_id: str, after: TenantCursor | None
) -> Iterator[TenantCursor]:
    """Yield the position to read on from in each install, beginning after `after`."""
    if after and after.schedule_id:
        yield after
    last_install_id = after.install_id if after else None
    while page := services.tenants.read_install_ids(tenant_id, last_install_id, PAGE_SIZE):
        yield from (TenantCursor(install_id, None) for install_id in page)
        last_install_id = page[-1]


@retry_on_conflict
def _write_paused(services: Services, tenant_id: str, paused: bool, actor: str) -> Tenant:
    tenant = services.tenants.read_tenant(tenant_id)
    if tenant.unreadable:
        services.report_unreadable(UnreadableItem("tenant", tenant_id, tenant.unreadable))
    elif tenant.paused == paused:
        return tenant
    after = tenant.with_paused(paused=paused, actor=actor, now=services.clock())
    write_tenant(services, tenant, after)
    return after


def _save_progress(services: Services, tenant: Tenant, progress: Tenant) -> None:
    try:
        services.tenants.replace_tenant(tenant, progress)
    except Conflict as conflict:
        raise Unavailable("The tenant was paused or resumed again in the meantime") from conflict


@retry_on_conflict
def _propagate_to_install(services: Services, install_id: InstallId, tenant: Tenant) -> Sequence[Install]:
    """Return the install if it has been paused or resumed. One that is being deleted is left as it is."""
    install = services.installs.read_install(install_id)
    if install is None or install.deleting or install.propagated_generation >= tenant.generation:
        return []
    after = with_tenant_propagated(install, tenant, services.clock())
    write_install(services, install, after, partial(services.installs.replace_install, install, after))
    return [after] if after.paused != install.paused else []
