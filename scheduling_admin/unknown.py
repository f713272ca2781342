"""Errors for an install or a schedule that is not there by what an operator calls it: what has become of it."""

from collections.abc import Callable

from scheduling.domain.audit.changes import KeptChange
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.operations.installs.changes import list_changes

from scheduling_admin.errors import AdminError, ExitStatus
from scheduling_admin.output.changes import describe_actor
from scheduling_admin.output.times import format_local_and_utc

_MAX_CHANGES = 1_000


def describe_unknown_install(install_id: InstallId) -> AdminError:
    """Return the error for an install that does not exist.

    One Query of the changes that are kept.
    """
    deletion = _find_newest(install_id, lambda each: each.schedule_id is None and each.after is None)
    if deletion is None:
        return AdminError("Install not found.", ExitStatus.NOT_FOUND)
    text = f"Install {install_id} was deleted {_describe_event(deletion)}; `changes` lists more."
    return AdminError(text, ExitStatus.NOT_FOUND)


def describe_unknown_schedule(install_id: InstallId, text: str) -> AdminError:
    """Return the error for an id or a name of no schedule of the install, likewise."""
    change = _find_end(install_id, text)
    if change is None:
        problem = f"has no schedule with the id or name {text!r}; `schedules` lists them"
    else:
        event = "deleted" if change.after is None else "renamed"
        happened = f"{change.schedule_id} was {event} {_describe_event(change)}"
        problem = f"no longer has a schedule {text!r}: {happened}; `changes` lists more"
    return AdminError(f"Install {install_id} {problem}.", ExitStatus.NOT_FOUND)


def find_former_schedule_id(install_id: InstallId, text: str) -> ScheduleId | None:
    """Return the id of the schedule that had that id or name last, likewise."""
    change = _find_end(install_id, text)
    return change.schedule_id if change else None


def _find_end(install_id: InstallId, text: str) -> KeptChange | None:
    """Return the newest change that deleted a schedule of that id or name, or gave it another name."""

    def ends(change: KeptChange) -> bool:
        if change.schedule_id is None or change.before is None:
            return False
        had_name = change.before.get("name") == text
        if change.after is None:
            return had_name or change.schedule_id.endswith(text.lower())
        return had_name and change.after.get("name") != text

    return _find_newest(install_id, ends)


def _find_newest(install_id: InstallId, matches: Callable[[KeptChange], bool]) -> KeptChange | None:
    return next(filter(matches, list_changes(install_id, limit=_MAX_CHANGES).changes), None)


def _describe_event(change: KeptChange) -> str:
    return f"on {format_local_and_utc(change.time, 'UTC')} (by {describe_actor(change.actor)})"
