"""What the pages read, by the queries of the commands; a page shows why a part of it cannot be read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from scheduling.domain.audit.changes import KeptChange
from scheduling.domain.deliveries.firing import as_read
from scheduling.domain.deliveries.spread import find_spread
from scheduling.domain.errors import InstallNotFound
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.runs import Fire, Trigger, format_time
from scheduling.domain.schedule import Schedule
from scheduling.domain.tenant import TenantCursor
from scheduling.domain.views import cursor_scope, encode_cursor
from scheduling.operations.installs.changes import list_changes
from scheduling.operations.installs.tenants import list_tenant_schedules

from scheduling_admin.commands.arguments import decode_list_cursor
from scheduling_admin.commands.schedules import find_schedule
from scheduling_admin.console.timeline.changes import find_change_gaps
from scheduling_admin.console.timeline.finds import list_repairs
from scheduling_admin.console.timeline.lanes import History, Lane, TimerState, build_lane
from scheduling_admin.console.timeline.window import TimeWindow
from scheduling_admin.errors import EXPECTED_ERRORS, AdminError, convert_to_admin_error
from scheduling_admin.output.times import OccurrenceTime
from scheduling_admin.stack.session import AdminSession
from scheduling_admin.status import describe_timer_differences

MAX_RUNS = 600
"""The runs of a lane, the newest of its window; older ones need a shorter window."""
LANES_PER_PAGE = 200
MAX_CHANGES, _MAX_OLDER_CHANGES = 100, 1_000
_MAX_BYTES = 4_000_000
_T = TypeVar("_T")


def attempt(read: Callable[[], _T]) -> _T | AdminError:
    """Return what `read` returns, or why it cannot, so that the rest of the page can be shown."""
    try:
        return read()
    except EXPECTED_ERRORS as error:
        return convert_to_admin_error(error)


@dataclass(frozen=True)
class SchedulePage:
    """The schedules of one page, with their installs; `next_cursor` leads to the next page."""

    pairs: Sequence[tuple[Install, Schedule]]
    next_cursor: str | None
    left_out: Sequence[str] = ()


def read_install_page(session: AdminSession, install_id: InstallId) -> tuple[Install, SchedulePage]:
    """Return an install and its schedules, oldest first.

    Raises:
        InstallNotFound: There is no such install.
    """
    now = session.now
    page = session.services.schedules.read_schedule_page(
        install_id, now=now, after=None, limit=LANES_PER_PAGE, max_bytes=None
    )
    if page.install is None:
        raise InstallNotFound
    install = page.install
    pairs = [(install, as_read(each, install, now)) for each in page.schedules]
    return install, SchedulePage(pairs, None, [str(each) for each in page.left_out])


def read_tenant_page(session: AdminSession, tenant_id: str, cursor: str | None) -> SchedulePage:
    """Return schedules of a tenant, install by install.

    Raises:
        AdminError: The cursor is of another list.
    """
    scope = cursor_scope("tenant-schedules", tenant_id)
    after = decode_list_cursor(scope, cursor, TenantCursor.parse_position)
    pairs: list[tuple[Install, Schedule]] = []
    left_out: list[str] = []
    while True:
        page = list_tenant_schedules(
            session.services, tenant_id, after=after, limit=LANES_PER_PAGE - len(pairs), max_bytes=_MAX_BYTES
        )
        pairs += page.schedules
        left_out += map(str, page.left_out)
        after = page.next_after
        if after is None or len(pairs) >= LANES_PER_PAGE:
            return SchedulePage(pairs, encode_cursor(scope, after.position if after else None), left_out)


def read_lane(
    session: AdminSession, install_id: InstallId, schedule_id: ScheduleId, window: TimeWindow
) -> Lane:
    """Return the lane of one schedule: one read each of the schedule, its history, its changes and its timer.

    Raises:
        InstallNotFound: There is no such install.
        ScheduleNotFound: The install has no such schedule.
    """
    install, schedule = find_schedule(session, install_id, schedule_id)
    schedule = as_read(schedule, install, window.now)
    history = read_history(session, install_id, schedule_id, window)
    changes = attempt(lambda: read_changes(install_id, schedule_id, since=window.start))
    known = [] if isinstance(changes, AdminError) else changes
    gaps = find_change_gaps(known, install, schedule, window)
    timer = read_timer_state(session, schedule, window.now)
    return build_lane(install, schedule, history, timer, window, gaps, list_repairs(known))


def read_changes(
    install_id: InstallId, schedule_id: ScheduleId, since: datetime | None = None
) -> list[KeptChange]:
    """Return the newest changes of the schedule and its install, the oldest of them first; all of them `since` then."""
    page = list_changes(install_id, schedule_id, limit=MAX_CHANGES)
    changes = list(page.changes)
    if since and page.next_before and changes[-1].time > since:
        older = list_changes(
            install_id, schedule_id, since=since, before=page.next_before, limit=_MAX_OLDER_CHANGES
        )
        changes += older.changes
    return changes[::-1]


def read_history(
    session: AdminSession, install_id: InstallId, schedule_id: ScheduleId, window: TimeWindow
) -> History:
    """Return the runs of the window, newest first."""
    page = session.services.runs.read_run_page(
        install_id, schedule_id, since=format_time(window.start), before=_after(window), limit=MAX_RUNS
    )
    complete_since = datetime.fromisoformat(page.next_before) if page.next_before else None
    return History(page.runs, complete_since)


def read_run_state(session: AdminSession, schedule: Schedule, occurrence: OccurrenceTime) -> str:
    """Return what changes with each step of the occurrence's run, by one read."""
    fire = Fire(
        install_id=schedule.install_id,
        schedule_id=schedule.id,
        timer_revision=0,
        scheduled_time=occurrence.scheduled_time,
        trigger=Trigger.MANUAL if occurrence.manual else Trigger.SCHEDULE,
    )
    run = session.services.runs.read_run(fire)
    if run is None:
        return "none"
    return f"{'expired' if run.is_lease_expired(session.now) else run.status}-{run.attempt}"


def _after(window: TimeWindow) -> str:
    """Return a position after all runs of the window."""
    return f"{format_time(window.end)}~"


def read_timer_state(session: AdminSession, schedule: Schedule, now: datetime) -> TimerState:
    """Return what EventBridge has for the schedule, if it may be read."""
    limits = session.services.limits
    spread = find_spread(schedule, limits)
    timer = attempt(lambda: session.services.timers.get_timer(schedule.id))
    if isinstance(timer, AdminError):
        return TimerState(missing=None, problem=str(timer), spread=spread)
    differences = describe_timer_differences(timer, schedule, limits, now)
    missing = timer is None and bool(differences) and not schedule.pending
    return TimerState(missing, differences, spread=spread)
