"""The command `changes`."""

from typing import Annotated

import typer
from scheduling.domain.audit.changes import change_fields
from scheduling.domain.ids import InstallId, ScheduleId, parse_change_position
from scheduling.domain.views import encode_cursor
from scheduling.operations.installs.changes import changes_scope, list_changes

from scheduling_admin.commands import arguments
from scheduling_admin.commands.arguments import decode_list_cursor
from scheduling_admin.commands.schedules import resolve_schedule_id
from scheduling_admin.errors import AdminError
from scheduling_admin.output.changes import build_changes_table
from scheduling_admin.output.report import CommandReport
from scheduling_admin.output.tables import render_sentence
from scheduling_admin.output.views import render_next_page_hint
from scheduling_admin.stack.session import AdminSession
from scheduling_admin.unknown import find_former_schedule_id

OptionalSchedule = Annotated[
    str | None,
    typer.Argument(metavar="[SCHEDULE]", help="Only changes of this schedule, and of the install itself."),
]


def changes(
    session: AdminSession,
    install: arguments.InstallArgument,
    schedule: OptionalSchedule = None,
    limit: arguments.LimitOption = 50,
    cursor: arguments.CursorOption = None,
) -> CommandReport:
    """List what has changed of an install and its schedules in the last 30 days, when and by whom, newest first."""
    install_id = InstallId(install)
    schedule_id = _find_schedule_id(session, install_id, schedule) if schedule else None
    scope = changes_scope(install_id, schedule_id)
    before = decode_list_cursor(scope, cursor, parse_change_position)
    page = list_changes(install_id, schedule_id, before=before, limit=limit)
    next_cursor = encode_cursor(scope, page.next_before)
    document = {"changes": [change_fields(each) for each in page.changes], "nextCursor": next_cursor}
    if not page.changes:
        return CommandReport(document, [render_sentence(f"No change of {install_id} is known.")])
    table = build_changes_table(page.changes)
    return CommandReport(document, [table, *render_next_page_hint(next_cursor)])


def _find_schedule_id(session: AdminSession, install_id: InstallId, text: str) -> ScheduleId:
    """Return the id of the schedule that an operator names; it may be deleted, and its install too."""
    try:
        return resolve_schedule_id(session, install_id, text)
    except AdminError as error:
        former_id = find_former_schedule_id(install_id, text)
        if former_id is None:
            raise error from None
        return former_id
