"""The commands `schedules` and `schedule`."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.console import RenderableType
from scheduling.domain.errors import InstallNotFound
from scheduling.domain.ids import InstallId, ScheduleId, parse_schedule_id
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.domain.tenant import TenantCursor
from scheduling.domain.views import cursor_scope, encode_cursor

from scheduling_admin.commands import arguments
from scheduling_admin.commands.arguments import decode_list_cursor
from scheduling_admin.errors import AdminError, ExitStatus
from scheduling_admin.output.fields import (
    install_fields,
    run_fields,
    schedule_fields,
    sweep_fields,
    timer_fields,
)
from scheduling_admin.output.finds import find_view_fields, render_finds
from scheduling_admin.output.report import CommandReport
from scheduling_admin.output.tables import render_sentence
from scheduling_admin.output.views import (
    build_schedules_table,
    describe_install,
    left_out_fields,
    render_definition,
    render_history,
    render_left_out,
    render_next_page_hint,
    render_sweep,
    render_timer,
)
from scheduling_admin.queries.schedules import (
    ScheduleFilter,
    ScheduleList,
    list_install_schedules,
    list_schedules_of_all,
    list_schedules_of_tenant,
)
from scheduling_admin.queries.views import ScheduleView
from scheduling_admin.stack.session import AdminSession
from scheduling_admin.status import describe_timer_differences
from scheduling_admin.unknown import describe_unknown_install, describe_unknown_schedule

FiresOption = Annotated[
    int, typer.Option(min=0, max=100, help="The number of next fires to show of each schedule.")
]
RunsOption = Annotated[int, typer.Option(min=0, max=1000, help="The number of newest runs to show.")]


def schedules(
    session: AdminSession,
    tenant: arguments.TenantOption = None,
    install: arguments.InstallOption = None,
    failing: arguments.FailingOption = False,
    not_firing: arguments.NotFiringSchedulesOption = False,
    paused: arguments.PausedOption = False,
    limit: arguments.LimitOption = 100,
    cursor: arguments.CursorOption = None,
    fires: FiresOption = 1,
) -> CommandReport:
    """List the schedules of a tenant or of an install, their last runs, next fires and what keeps them from firing.

    With --failing, --not-firing or --paused, also those of all tenants.
    """
    only = ScheduleFilter(failing=failing, not_firing=not_firing, paused=paused)
    if (tenant and install) or not (tenant or install or only.is_set):
        text = "Give --tenant or --install; or for all tenants, --failing, --not-firing or --paused."
        raise AdminError(text, ExitStatus.USAGE)
    listed, next_cursor = _find_schedules(session, tenant, install, limit, cursor, fires, only)
    owner = tenant or install
    document = {
        "schedules": [schedule_fields(each) for each in listed.views],
        **left_out_fields(listed.left_out),
        "nextCursor": next_cursor,
        **({} if owner else {"hasMore": listed.has_more}),
        **sweep_fields(listed.sweep),
        **({} if owner or not not_firing else {"finds": list(map(find_view_fields, listed.finds))}),
    }
    return CommandReport(
        document,
        [
            *(_render_tables(listed.views) if listed.views else [_render_none(owner, only, listed)]),
            *render_left_out(listed.left_out),
            *render_next_page_hint(next_cursor),
            *(
                [render_sentence(f"\nNot all are read: raise --limit, which is {limit}.")]
                if listed.has_more
                else ()
            ),
            *(_render_sweep(listed, session.now) if not_firing and not owner else ()),
        ],
        ExitStatus.NEEDS_ATTENTION if listed.left_out else ExitStatus.OK,
    )


def _render_sweep(listed: ScheduleList, now: datetime) -> list[RenderableType]:
    note = render_sentence("What somebody has stopped is not listed: `status` has it.")
    return [*render_finds(listed.finds, now), *render_sweep(listed.sweep, now), note]


def _render_none(owner: str | None, only: ScheduleFilter, listed: ScheduleList) -> RenderableType:
    kind = "such schedules" if only.is_set else "schedules"
    of_owner = f" of {owner}" if owner else ""
    return render_sentence(f"There are no {kind}{of_owner}{' among those read' if listed.has_more else ''}.")


def _find_schedules(
    session: AdminSession,
    tenant: str | None,
    install: str | None,
    limit: int,
    cursor: str | None,
    fires: int,
    only: ScheduleFilter,
) -> tuple[ScheduleList, str | None]:
    """Return the list, and the cursor of its next page."""
    if install:
        scope = cursor_scope("schedules", install)
        try:
            found = list_install_schedules(
                session.services,
                InstallId(install),
                after=decode_list_cursor(scope, cursor, parse_schedule_id),
                limit=limit,
                fires=fires,
                only=only,
            )
        except InstallNotFound:
            raise describe_unknown_install(InstallId(install)) from None
    elif tenant:
        scope = cursor_scope("tenant-schedules", tenant)
        found = list_schedules_of_tenant(
            session.services,
            tenant,
            after=decode_list_cursor(scope, cursor, TenantCursor.parse_position),
            limit=limit,
            fires=fires,
            only=only,
        )
    elif cursor:
        raise AdminError("A list of all tenants has no pages: raise --limit.", ExitStatus.USAGE)
    else:
        return list_schedules_of_all(session.services, limit=limit, fires=fires, only=only), None
    return found, encode_cursor(scope, found.next_after)


def _render_tables(views: Sequence[ScheduleView]) -> Iterator[RenderableType]:
    """Render a table for each install, in the order in which the views first name them."""
    groups: dict[InstallId, list[ScheduleView]] = {}
    for view in views:
        groups.setdefault(view.install.id, []).append(view)
    for number, group in enumerate(groups.values()):
        heading = describe_install(group[0].install)
        yield render_sentence(f"\n{heading}" if number else heading, "bold")
        yield build_schedules_table(group)


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
    timer = session.services.timers.get_timer(schedule_id)
    view = ScheduleView.create_view(pair, timer, session.now, fires)
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


def resolve_schedule_id(session: AdminSession, install_id: InstallId, text: str) -> ScheduleId:
    """Return the id of the schedule that an operator names by its id, its name or an end of its id.

    Raises:
        AdminError: There is no such install, or it has no such schedule, or several.
    """
    if schedule_id := parse_schedule_id(text):
        return schedule_id
    snapshot = session.services.schedules.read_snapshot(install_id, name=text)
    if snapshot.install is None:
        raise describe_unknown_install(install_id)
    if snapshot.name_owner:
        return snapshot.name_owner
    schedules = session.services.schedules.read_all_schedules(install_id)
    matching = [
        each.id for each in schedules if each.definition.name == text or each.id.endswith(text.lower())
    ]
    if len(matching) == 1:
        return matching[0]
    if not matching:
        raise describe_unknown_schedule(install_id, text)
    problem = f"has several schedules whose id ends with {text!r}, or with that name: {', '.join(matching)}"
    raise AdminError(f"Install {install_id} {problem}.", ExitStatus.NOT_FOUND)


def find_schedule(
    session: AdminSession, install_id: InstallId, schedule_id: ScheduleId
) -> tuple[Install, Schedule]:
    """Read a schedule and its install, in any state.

    Raises:
        AdminError: There is no such install, or it has no such schedule; the text says what became of it.
    """
    snapshot = session.services.schedules.read_snapshot_with_payload(install_id, schedule_id)
    if snapshot.install is None:
        raise describe_unknown_install(install_id)
    if snapshot.schedule is None:
        raise describe_unknown_schedule(install_id, schedule_id)
    return snapshot.install, snapshot.schedule
