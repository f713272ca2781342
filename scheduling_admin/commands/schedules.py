"""The commands that show schedules."""

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Annotated

import typer
from rich.console import RenderableType
from scheduling.domain.errors import InstallNotFound, ScheduleNotFound
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.tenants import Place, list_tenant_schedules

from scheduling_admin.commands import arguments
from scheduling_admin.commands.arguments import decoded, encoded
from scheduling_admin.commands.installs import install_fields, more
from scheduling_admin.errors import AdminError, Exit
from scheduling_admin.output.fields import Seen, run_fields, schedule_fields, timer_fields
from scheduling_admin.output.report import Report
from scheduling_admin.output.tables import sentence
from scheduling_admin.output.views import definition_shown, history_shown, schedules_table, timer_shown
from scheduling_admin.stack.session import Operator
from scheduling_admin.status import differences

_Found = list[tuple[Install, Schedule]]
Fires = Annotated[int, typer.Option(min=0, max=100, help="How many next fires to show of each.")]
Runs = Annotated[int, typer.Option(min=0, max=1000, help="How many of the newest runs to show.")]


def schedules(
    operator: Operator,
    tenant: arguments.OfTenant = None,
    install: arguments.OfInstall = None,
    limit: arguments.Limit = 100,
    cursor: arguments.Cursor = None,
    fires: Fires = 3,
) -> Report:
    """List the schedules of a tenant or of an install, with their next fires, and what keeps them from firing."""
    if (tenant is None) == (install is None):
        raise AdminError("Name either --tenant or --install.", Exit.USAGE)
    if install:
        found, next_cursor = _of_install(operator, InstallId(install), limit, cursor)
    else:
        found, next_cursor = _of_tenant(operator, str(tenant), limit, cursor)
    now = operator.now
    seen = [Seen.of(each, schedule, now, fires) for each, schedule in found]
    document = {"schedules": [schedule_fields(each) for each in seen], "nextCursor": next_cursor}
    if not seen:
        return Report(document, [sentence(f"There are no schedules of {tenant or install}.")])
    return Report(document, [*_tables(seen), *more(next_cursor)])


def _of_install(
    operator: Operator, install_id: InstallId, limit: int, cursor: str | None
) -> tuple[_Found, str | None]:
    place = decoded("schedules", cursor)
    after = ScheduleId(place) if place else None
    page = operator.services.schedules.page(install_id, after=after, limit=limit, max_bytes=None)
    install = page.install
    if install is None:
        raise InstallNotFound
    return [(install, each) for each in page.schedules], encoded("schedules", page.next_after)


def _of_tenant(
    operator: Operator, tenant_id: str, limit: int, cursor: str | None
) -> tuple[_Found, str | None]:
    found: _Found = []
    after = _place(decoded("tenant", cursor))
    while True:
        page = list_tenant_schedules(
            operator.services, tenant_id, after=after, limit=limit - len(found), max_bytes=sys.maxsize
        )
        found += page.schedules
        after = page.next_after
        if after is None or len(found) == limit:
            place = f"{after.install_id} {after.schedule_id or ''}" if after else None
            return found, encoded("tenant", place)


def _place(text: str | None) -> Place | None:
    if text is None:
        return None
    install_id, _, schedule_id = text.partition(" ")
    return Place(InstallId(install_id), ScheduleId(schedule_id) if schedule_id else None)


def _tables(seen: Sequence[Seen]) -> Iterator[RenderableType]:
    """Install by install, as they are read."""
    for install, group in groupby(seen, key=lambda each: each.install):
        lead = "\n" if install != seen[0].install else ""
        yield sentence(f"{lead}Install {install.id} of tenant {install.tenant_id}", "bold")
        yield schedules_table(list(group))


def schedule(
    operator: Operator,
    install: arguments.Install,
    schedule: arguments.Schedule,
    runs: Runs = 10,
    fires: Fires = 3,
) -> Report:
    """Show one schedule: its definition, its timer in EventBridge and whether that matches, and its history."""
    install_id, schedule_id = InstallId(install), ScheduleId(schedule)
    found = find(operator, install_id, schedule_id)
    seen = Seen.of(*found, operator.now, fires)
    timer = operator.services.timers.get(schedule_id)
    differing = differences(timer, found[1])
    history = (
        operator.services.runs.page(install_id, schedule_id, before=None, limit=runs).runs if runs else []
    )
    document = {
        "schedule": schedule_fields(seen),
        "install": install_fields(seen.install),
        "timer": timer_fields(timer),
        "timerMatches": not differing,
        "differences": list(differing),
        "runs": [run_fields(run) for run in history],
    }
    shown = [
        *definition_shown(seen),
        *timer_shown(timer, found[1], differing),
        *(history_shown(history) if runs else ()),
    ]
    return Report(document, shown, Exit.WRONG if differing else Exit.OK)


def find(operator: Operator, install_id: InstallId, schedule_id: ScheduleId) -> tuple[Install, Schedule]:
    """The row and its install, whatever state they are in. Raises InstallNotFound and ScheduleNotFound."""
    snapshot = operator.services.schedules.read(install_id, schedule_id)
    if snapshot.install is None:
        raise InstallNotFound
    if snapshot.schedule is None:
        raise ScheduleNotFound
    return snapshot.install, snapshot.schedule
