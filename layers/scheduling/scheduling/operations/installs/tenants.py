"""The platform's kill switch and support view of a tenant (contract, section 3)."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from scheduling.domain.deliveries.firing import as_read
from scheduling.domain.errors import Conflict, Unavailable, UnreadableItem
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.domain.tenant import Tenant, TenantCursor, with_tenant_propagated
from scheduling.operations.installs.propagate import try_propagate
from scheduling.operations.services import Services, retry_on_conflict
from scheduling.operations.sync.optimistic_writes import write_install, write_tenant
from scheduling.store.snapshots import TenantEntry, payload_bytes, unreadable_schedule

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
        installs = services.installs.read_installs(page) if page else {}
        for install in filter(None, map(installs.get, page)):
            try:
                changed_installs += _propagate_to_install(services, install, tenant)
            except Unavailable:
                raise
            except Exception:  # one install that cannot be changed must not block the others
                logger.exception("install %s is not changed with tenant %s", install.id, tenant.id)
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

    A page may have fewer than `limit` although others follow.
    """
    now = services.clock()
    found = services.tenants.read_schedule_entries(tenant_id, after, limit)
    entries = list(_take_bytes(found.entries, max_bytes))
    has_more = found.has_more or len(entries) < len(found.entries)
    page = TenantPage(
        schedules=[pair for entry in entries if (pair := _listed_pair(entry, tenant_id, now))],
        next_after=entries[-1].position if has_more else None,
        left_out=list(dict.fromkeys(item for entry in entries for item in _left_out(entry, tenant_id))),
    )
    for item in page.left_out:
        services.report_unreadable(item)
    return page


def _take_bytes(entries: Sequence[TenantEntry], max_bytes: int) -> Iterator[TenantEntry]:
    """Yield entries until their payloads reach `max_bytes`."""
    size = 0
    for entry in entries:
        yield entry
        size += payload_bytes(entry.schedule) if entry.schedule else 0
        if size >= max_bytes:
            return


def _listed_pair(entry: TenantEntry, tenant_id: str, now: datetime) -> tuple[Install, Schedule] | None:
    """Return the schedule of the entry and its install, unless the index names what the tenant no longer has."""
    install, schedule = entry.install, entry.schedule
    if install is None or install.tenant_id != tenant_id or schedule is None:
        return None
    if schedule.incomplete or not schedule.exists_at(now):
        return None
    return install, as_read(schedule, install, now)


def _left_out(entry: TenantEntry, tenant_id: str) -> Iterator[UnreadableItem]:
    install, schedule = entry.install, entry.schedule
    if install and install.tenant_id == tenant_id:
        if schedule and schedule.incomplete:
            yield unreadable_schedule(schedule)
    elif install and install.unreadable:
        yield UnreadableItem("install", install.id, install.unreadable)


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


def _propagate_to_install(services: Services, snapshot: Install, tenant: Tenant) -> Sequence[Install]:
    """Return the install if it has been paused or resumed."""
    try:
        return _pause_or_resume(services, snapshot, tenant)
    except Conflict:
        read_install = partial(services.installs.read_install, snapshot.id)
        return services.retry(lambda: _pause_or_resume(services, read_install(), tenant))


def _pause_or_resume(services: Services, install: Install | None, tenant: Tenant) -> Sequence[Install]:
    """Change the install with its tenant, unless it is being deleted or belongs to another tenant by now."""
    if install is None or install.deleting or install.propagated_generation >= tenant.generation:
        return []
    if install.tenant_id not in ("", tenant.id):
        return []
    after = with_tenant_propagated(install, tenant, services.clock())
    write_install(services, install, after, partial(services.installs.replace_install, install, after))
    return [after] if after.paused != install.paused else []
