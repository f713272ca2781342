"""What is wrong over all tenants, what somebody has stopped, and the sweep's finds, for the platform's operators."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from scheduling.domain.deliveries.firing import as_read
from scheduling.operations.services import Services
from scheduling.store.keys import DISABLED_INSTALLS, PAUSED_TENANTS, UNGRANTED_INSTALLS
from scheduling.store.schedule_items.finds import FindPage, read_find_page
from scheduling.store.schedule_items.unhealthy import (
    UnhealthySchedules,
    read_stopped,
    read_unhealthy_schedules,
)


def list_unhealthy_schedules(services: Services, *, limit: int) -> UnhealthySchedules:
    """Return up to `limit` schedules whose newest run did not succeed, those first that are so the longest."""
    now = services.clock()
    found = read_unhealthy_schedules(limit)
    existing = [
        (install, each) for install, each in found.schedules if each.exists_at(now) and not each.incomplete
    ]
    return replace(found, schedules=[(install, as_read(each, install, now)) for install, each in existing])


def list_finds(
    services: Services, *, limit: int, since: datetime | None = None, only_preventing: bool = False
) -> FindPage:
    """Return up to `limit` schedules whose timers the sweep has repaired in the last 30 days, or since then.

    Each has its newest find, and those with the newest ones are first; with `only_preventing`, only those that did not
    fire as they should. Deleted schedules are left out.
    """
    now = services.clock()
    page = read_find_page(only_preventing=only_preventing, since=since, limit=limit)
    existing = [
        replace(each, schedule=as_read(each.schedule, each.install, now))
        for each in page.finds
        if each.schedule.exists_at(now) and not each.schedule.incomplete
    ]
    return replace(page, finds=existing)


@dataclass(frozen=True, slots=True)
class Stopped:
    """A tenant or an install none of whose schedules fires, and since when; None if that cannot be read."""

    id: str
    since: datetime | None


def list_paused_tenants(*, limit: int) -> Sequence[Stopped]:
    """Return up to `limit` paused tenants, those first that are so the longest; eventually consistent."""
    return _list_stopped(PAUSED_TENANTS, limit)


def list_disabled_installs(*, limit: int) -> Sequence[Stopped]:
    """Return up to `limit` disabled installs of all tenants, likewise."""
    return _list_stopped(DISABLED_INSTALLS, limit)


def list_ungranted_installs(*, limit: int) -> Sequence[Stopped]:
    """Return up to `limit` installs that lost `cap:scheduler.manage` while they had schedules, likewise.

    One that is disabled, too, is among the disabled ones until it is enabled.
    """
    return _list_stopped(UNGRANTED_INSTALLS, limit)


def _list_stopped(part: str, limit: int) -> Sequence[Stopped]:
    return [Stopped(key.partition("#")[2], _parse_time(since)) for key, since in read_stopped(part, limit)]


def _parse_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # somebody has changed the row by hand
        return None
