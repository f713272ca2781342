"""The schedules of an install, of a tenant or of all, by what is wrong with them."""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from scheduling.domain.audit.finds import ScheduleFind, TimerFind
from scheduling.domain.errors import InstallNotFound, UnreadableItem
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.sweeps import SweepState
from scheduling.domain.tenant import TenantCursor
from scheduling.operations.installs.tenants import list_tenant_schedules
from scheduling.operations.installs.unhealthy import (
    list_finds,
    list_paused_tenants,
    list_unhealthy_schedules,
)
from scheduling.operations.services import Services

from scheduling_admin.queries.views import MAX_PARALLEL_READS, SchedulePair, ScheduleView, read_schedule_views
from scheduling_admin.status import list_install_blockers

_MAX_PAUSED_TENANTS = 10_000
"""What the index of them returns in about one page."""


@dataclass(frozen=True, kw_only=True)
class ScheduleFilter:
    """Which schedules a list has: those for which everything that is asked for holds."""

    failing: bool = False
    not_firing: bool = False
    paused: bool = False

    @property
    def is_set(self) -> bool:
        """Whether it leaves any schedule out."""
        return self.failing or self.not_firing or self.paused

    def includes(self, view: ScheduleView) -> bool:
        """Return whether the list has the schedule; one that waits counts as failing."""
        return (
            (not self.failing or view.failing or view.waiting)
            and (not self.not_firing or not view.status.fires)
            and (not self.paused or view.paused)
        )


NO_FILTER = ScheduleFilter()


@dataclass(frozen=True, kw_only=True)
class FindView:
    """A find of the sweep about a timer, and what its schedule is now."""

    find: TimerFind
    view: ScheduleView


@dataclass(frozen=True, kw_only=True)
class ScheduleList:
    """Schedules in the order of the list.

    `next_after` is the position of the next page, if there may be one. A list over all installs has no pages:
    `has_more` says that its limit has left some out. `sweep` is the last sweep, where the list is of what it looks for,
    and `finds` what it and earlier ones have repaired, whether or not it fires now.
    """

    views: Sequence[ScheduleView]
    left_out: Sequence[UnreadableItem] = ()
    next_after: str | None = None
    has_more: bool = False
    sweep: SweepState | None = None
    finds: Sequence[FindView] = ()


@dataclass(frozen=True)
class _Page:
    pairs: Sequence[SchedulePair]
    left_out: Sequence[UnreadableItem]
    next_after: str | None


_ReadPage = Callable[[str | None, int], _Page]


def list_install_schedules(
    services: Services,
    install_id: InstallId,
    *,
    after: ScheduleId | None,
    limit: int,
    fires: int,
    only: ScheduleFilter = NO_FILTER,
) -> ScheduleList:
    """Return schedules of the install, oldest first.

    Raises:
        InstallNotFound: There is no such install.
    """

    def read_page(position: str | None, size: int) -> _Page:
        page = services.schedules.read_schedule_page(
            install_id,
            now=services.clock(),
            after=ScheduleId(position) if position else None,
            limit=size,
            max_bytes=None,
        )
        if page.install is None:
            raise InstallNotFound
        return _Page([(page.install, each) for each in page.schedules], page.left_out, page.next_after)

    return _collect_pages(services, read_page, after, limit, fires, only)


def list_schedules_of_tenant(
    services: Services,
    tenant_id: str,
    *,
    after: TenantCursor | None,
    limit: int,
    fires: int,
    only: ScheduleFilter = NO_FILTER,
) -> ScheduleList:
    """Return schedules of all installs of the tenant, install by install, each oldest first."""

    def read_page(position: str | None, size: int) -> _Page:
        cursor = TenantCursor.parse_position(position) if position else None
        page = list_tenant_schedules(services, tenant_id, after=cursor, limit=size, max_bytes=sys.maxsize)
        return _Page(page.schedules, page.left_out, page.next_after.position if page.next_after else None)

    return _collect_pages(services, read_page, after.position if after else None, limit, fires, only)


def _collect_pages(
    services: Services,
    read_page: _ReadPage,
    after: str | None,
    limit: int,
    fires: int,
    only: ScheduleFilter,
) -> ScheduleList:
    """Read pages until the list has `limit` schedules or the last page is read."""
    views: list[ScheduleView] = []
    left_out: list[UnreadableItem] = []
    while True:
        page = read_page(after, limit - len(views))
        views += filter(only.includes, read_schedule_views(services, page.pairs, fires))
        left_out += page.left_out
        after = page.next_after
        if after is None or len(views) == limit:
            return ScheduleList(views=views, left_out=left_out, next_after=after)


def list_schedules_of_all(
    services: Services, *, limit: int, fires: int, only: ScheduleFilter
) -> ScheduleList:
    """Return schedules of all installs, of which only those with a problem can be found without reading all of them.

    Those that fail or wait are in an index, and so are paused tenants. Those that do not fire although they should are
    what is pending and what was paused after failures, unless somebody has stopped it as well: each other difference is
    found by the sweep alone, which repairs it; what it has found is listed apart, with whether it fires now.
    """
    unhealthy = list_unhealthy_schedules(services, limit=limit)
    pairs = {pair[1].id: pair for pair in unhealthy.schedules}
    has_more = unhealthy.has_more
    finds: Sequence[ScheduleFind] = ()
    if only.not_firing and not only.failing:
        pending = _read_pending_pairs(services, limit)
        has_more |= len(pending) == limit
        pairs |= {pair[1].id: pair for pair in pending}
        page = list_finds(services, limit=limit, only_preventing=True)
        finds, has_more = page.finds, has_more or page.has_more
        pairs |= {each.schedule.id: (each.install, each.schedule) for each in finds}
    left_out: list[UnreadableItem] = []
    if only.paused and not only.failing:
        paused = islice(_read_paused_pairs(services, limit + 1, left_out), limit + 1)
        pairs |= {pair[1].id: pair for pair in paused}
    views = {each.schedule.id: each for each in read_schedule_views(services, list(pairs.values()), fires)}
    included = [
        each
        for each in filter(only.includes, views.values())
        if only.failing or only.paused or _should_fire(each)
    ]
    return ScheduleList(
        left_out=left_out,
        views=included[:limit],
        has_more=has_more or len(included) > limit,
        sweep=services.sweeps.read_sweep_state() if only.not_firing else None,
        finds=[FindView(find=each.find, view=views[each.schedule.id]) for each in finds if not only.paused],
    )


def _read_pending_pairs(services: Services, limit: int) -> list[SchedulePair]:
    items = list(services.schedules.read_pending_items(services.clock(), limit))
    ids = [(each.install_id, each.schedule_id) for each in items if each.install_id and each.schedule_id]
    with ThreadPoolExecutor(MAX_PARALLEL_READS) as pool:
        snapshots = list(pool.map(lambda pair: services.schedules.read_snapshot(*pair), ids))
    return [(each.install, each.schedule) for each in snapshots if each.install and each.schedule]


def _should_fire(view: ScheduleView) -> bool:
    """Return whether neither its owner has stopped the schedule, nor the platform its install or its tenant."""
    return view.expected and not list_install_blockers(view.install)


def _read_paused_pairs(
    services: Services, size: int, left_out: list[UnreadableItem]
) -> Iterator[SchedulePair]:
    """Yield the schedules of paused tenants, those first that are paused the longest, in pages of that size."""
    for tenant in list_paused_tenants(limit=_MAX_PAUSED_TENANTS):
        after: TenantCursor | None = None
        while True:
            page = list_tenant_schedules(services, tenant.id, after=after, limit=size, max_bytes=sys.maxsize)
            left_out += page.left_out
            yield from page.schedules
            after = page.next_after
            if after is None:
                break
