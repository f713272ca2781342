"""The installs of a tenant or of all, each with what its schedules and their timers say."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from scheduling.domain.ids import InstallId
from scheduling.domain.install import Install
from scheduling.operations.installs.queries import list_installs
from scheduling.operations.services import Services

from scheduling_admin.queries.schedules import ScheduleFilter
from scheduling_admin.queries.views import (
    MAX_PARALLEL_READS,
    InstallView,
    SchedulePair,
    ScheduleView,
    read_schedule_views,
)
from scheduling_admin.status import list_install_blockers

_INSTALLS_OF_PAGE = 100


@dataclass(frozen=True)
class InstallList:
    """Installs in the order of the list; `next_after` is the position of the next page, if there are more."""

    views: Sequence[InstallView]
    next_after: str | None


def list_install_views(
    services: Services, tenant_id: str | None, *, after: InstallId | None, limit: int, only: ScheduleFilter
) -> InstallList:
    """Return installs by their ids; with a filter, those with such a schedule; paused are those of paused tenants."""
    views: list[InstallView] = []
    while True:
        size = min(limit - len(views), _INSTALLS_OF_PAGE)
        page = list_installs(services, tenant_id, after=after, limit=size)
        candidates = [each for each in page.installs if each.paused or not only.paused]
        views += [each for each in read_install_views(services, candidates) if _includes(only, each)]
        if page.next_after is None or len(views) == limit:
            return InstallList(views, page.next_after)
        after = InstallId(page.next_after)


def read_install_views(services: Services, installs: Sequence[Install]) -> list[InstallView]:
    """Return the installs with their schedules.

    One Query for each install, and one GetSchedule for each schedule that should have a timer.
    """
    with ThreadPoolExecutor(MAX_PARALLEL_READS) as pool:
        lists = list(pool.map(lambda each: services.schedules.read_all_schedules(each.id), installs))
    now = services.clock()
    pairs: list[SchedulePair] = [
        (install, schedule)
        for install, schedules in zip(installs, lists, strict=True)
        for schedule in schedules
        if schedule.exists_at(now)
    ]
    views: dict[str, list[ScheduleView]] = {}
    for view in read_schedule_views(services, pairs, 0):
        views.setdefault(view.install.id, []).append(view)
    return [
        InstallView(install=each, blockers=list_install_blockers(each), schedules=views.get(each.id, []))
        for each in installs
    ]


def _includes(only: ScheduleFilter, view: InstallView) -> bool:
    return (
        (not only.failing or any(each.failing or each.waiting for each in view.schedules))
        and (not only.not_firing or not view.fires)
        and (not only.paused or view.install.paused)
    )
