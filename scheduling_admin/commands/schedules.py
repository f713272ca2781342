"""The commands `schedules` and `schedule`."""

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Annotated

import typer
from rich.console import RenderableType
from scheduling.domain.errors import InstallNotFound, ScheduleNotFound, UnreadableItem
from scheduling.domain.ids import InstallId, ScheduleId, parse_schedule_id
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.domain.tenant import TenantCursor
from scheduling.domain.views import cursor_scope, encode_cursor
from scheduling.operations.installs.tenants import list_tenant_schedules

from scheduling_admin.commands import arguments
from scheduling_admin.commands.arguments import decode_list_cursor
from scheduling_admin.errors import AdminError, ExitStatus
from scheduling_admin.output.fields import (
    ScheduleView,
    install_fields,
    run_fields,
    schedule_fields,
    timer_fields,
)
from scheduling_admin.output.report import CommandReport
from scheduling_admin.output.tables import render_sentence
from scheduling_admin.output.views import (
    build_schedules_table,
    left_out_fields,
    render_definition,
    render_history,
    render_left_out,
    render_next_page_hint,
    render_timer,
)
from scheduling_admin.stack.session import AdminSession
from scheduling_admin.status import describe_timer_differences

_SchedulePairs = list[tuple[Install, Schedule]]
FiresOption = Annotated[
    int, typer.Option(min=0, max=100, help="The number of next fires to show of each schedule.")
]
RunsOption = Annotated[int, typer.Option(min=0, max=1000, help="The number of newest runs to show.")]


def schedules(
    session: AdminSession,
    tenant: arguments.TenantOption = None,
    install: arguments.InstallOption = None,
    limit: arguments.LimitOption = 100,
    cursor: arguments.CursorOption = None,
    fires: FiresOption = 3,
) -> CommandReport:
    """List the schedules of a tenant or of an install, with their next fires and what keeps them from firing."""
    if (tenant is None) == (install is None):
        raise AdminError("Give either --tenant or --install.", ExitStatus.USAGE)
    if install:
        pairs, left_out, next_cursor = _read_install_schedules(session, InstallId(install), limit, cursor)
    else:
        pairs, left_out, next_cursor = _read_tenant_schedules(session, str(tenant), limit, cursor)
    now = session.now
    views = [ScheduleView.create_view(each, schedule, now, fires) for each, schedule in pairs]
    document = {
        "schedules": [schedule_fields(each) for each in views],
        **left_out_fields(left_out),
        "nextCursor": next_cursor,
    }
    no_schedules = render_sentence(f"There are no schedules of {tenant or install}.")
    return CommandReport(
        document,
        [
            *(_render_tables(views) if views else [no_schedules]),
            *render_left_out(left_out),
            *render_next_page_hint(next_cursor),
        ],
        ExitStatus.NEEDS_ATTENTION if left_out else ExitStatus.OK,
    )


def _read_install_schedules(
    session: AdminSession, install_id: InstallId, limit: int, cursor: str | None
) -> tuple[_SchedulePairs, list[UnreadableItem], str | None]:
    scope = cursor_scope("schedules", install_id)
    after = decode_list_cursor(scope, cursor, parse_schedule_id)
    page = session.services.schedules.read_schedule_page(
        install_id, now=session.now, after=after, limit=limit, max_bytes=None
    )
    install = page.install
    if install is None:
        raise InstallNotFound
    pairs = [(install, each) for each in page.schedules]
    return pairs, list(page.left_out), encode_cursor(scope, page.next_after)


def _read_tenant_schedules(
    session: AdminSession, tenant_id: str, limit: int, cursor: str | None
) -> tuple[_SchedulePairs, list[UnreadableItem], str | None]:
    pairs: _SchedulePairs = []
    left_out: list[UnreadableItem] = []
    scope = cursor_scope("tenant-schedules", tenant_id)
    after = decode_list_cursor(scope, cursor, TenantCursor.parse_position)
    while True:
        page = list_tenant_schedules(
            session.services, tenant_id, after=after, limit=limit - len(pairs), max_bytes=sys.maxsize
        )
        pairs += page.schedules
        left_out += page.left_out
        after = page.next_after
        if after is None or len(pairs) == limit:
            return pairs, left_out, encode_cursor(scope, after.position if after else None)


def _render_tables(views: Sequence[ScheduleView]) -> Iterator[RenderableType]:
    """Render a table for each install, in the order of the views."""
    for install, group in groupby(views, key=lambda each: each.install):
        prefix = "\n" if install != views[0].install else ""
        yield render_sentence(f"{prefix}Install {install.id} of tenant {install.tenant_id}", "bold")
        yield build_schedules_table(list(group))


def schedule(
    session: AdminSession,
    install: arguments.InstallArgument,
    schedule: arguments.ScheduleArgument,
    runs: RunsOption = 10,
    fires: FiresOption = 3,
) -> CommandReport:
    """Show one schedule: its definition, its timer in EventBridge and whether it is in sync, and its history."""
    install_id = InstallId(install)
    schedule_id = resolve_schedule_id(session, install_id, schedule)
    pair = find_schedule(session, install_id, schedule_id)
    view = ScheduleView.create_view(*pair, session.now, fires)
    timer = session.services.timers.get_timer(schedule_id)
    timer_differences = describe_timer_differences(timer, pair[1], session.services.limits, session.now)
    page = (
        session.services.runs.read_run_page(install_id, schedule_id, before=None, limit=runs)
        if runs
        else None
    )
    left_out = page.left_out if page else ()
    document = {
        "schedule": schedule_fields(view),
        "install": install_fields(view.install),
        "timer": timer_fields(timer),
        "timerMatches": not timer_differences,
        "differences": list(timer_differences),
        "runs": [run_fields(run) for run in page.runs] if page else [],
        **left_out_fields(left_out),
    }
    renderables = [
        *render_definition(view),
        *render_timer(timer, pair[1], timer_differences),
        *(render_history(page.runs) if page else ()),
        *render_left_out(left_out),
    ]
    has_problem = timer_differences or pair[1].unreadable or left_out
    return CommandReport(document, renderables, ExitStatus.NEEDS_ATTENTION if has_problem else ExitStatus.OK)


def resolve_schedule_id(session: AdminSession, install_id: InstallId, id_or_name: str) -> ScheduleId:
    """Return the id of the schedule that an operator names by its id or its name.

    Raises:
        InstallNotFound: There is no such install.
        AdminError: The install has no schedule of that name.
    """
    if schedule_id := parse_schedule_id(id_or_name):
        return schedule_id
    snapshot = session.services.schedules.read_snapshot(install_id, name=id_or_name)
    if snapshot.install is None:
        raise InstallNotFound
    if snapshot.name_owner is None:
        text = f"Install {install_id} has no schedule with the name {id_or_name!r}; `schedules` lists them."
        raise AdminError(text, ExitStatus.NOT_FOUND)
    return snapshot.name_owner


def find_schedule(
    session: AdminSession, install_id: InstallId, schedule_id: ScheduleId
) -> tuple[Install, Schedule]:
    """Read a schedule and its install, in any state.

    Raises:
        InstallNotFound: There is no such install.
        ScheduleNotFound: The install has no such schedule.
    """
    snapshot = session.services.schedules.read_snapshot_with_payload(install_id, schedule_id)
    if snapshot.install is None:
        raise InstallNotFound
    if snapshot.schedule is None:
        raise ScheduleNotFound
    return snapshot.install, snapshot.schedule
