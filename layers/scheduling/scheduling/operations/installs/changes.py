"""What has changed of an install and its schedules, when and by whom, for the platform and its operators."""

from datetime import datetime

from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.runs import format_time
from scheduling.domain.views import CursorScope, cursor_scope
from scheduling.store.schedule_items.changes import ChangePage, read_change_page


def changes_scope(install_id: InstallId, schedule_id: ScheduleId | None) -> CursorScope:
    """Return what a cursor of the list is bound to."""
    return cursor_scope("changes", install_id, *([schedule_id] if schedule_id else ()))


def list_changes(
    install_id: InstallId,
    schedule_id: ScheduleId | None = None,
    *,
    since: datetime | None = None,
    before: str | None = None,
    limit: int,
) -> ChangePage:
    """Return the changes of the last 30 days, newest first, also of an install that is deleted.

    With a schedule, they are those of the install itself and of that schedule. The audit writes them, some seconds
    after the change.
    """
    since_text = format_time(since) if since else ""
    return read_change_page(install_id, schedule_id, since=since_text, before=before, limit=limit)
