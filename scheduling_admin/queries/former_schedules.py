"""What has become of a schedule that its install no longer has by the id or the name that an operator knows."""

from scheduling.domain.audit.changes import KeptChange
from scheduling.domain.ids import InstallId
from scheduling.operations.installs.changes import list_changes

_MAX_CHANGES = 1_000


def find_former_schedule(install_id: InstallId, text: str) -> KeptChange | None:
    """Return the newest change that deleted a schedule of that id or name, or gave it another name.

    One Query of the changes that are kept.
    """
    page = list_changes(install_id, limit=_MAX_CHANGES)
    return next((each for each in page.changes if _ends(each, text)), None)


def _ends(change: KeptChange, text: str) -> bool:
    if change.schedule_id is None or change.before is None:
        return False
    had_name = change.before.get("name") == text
    if change.after is None:
        return had_name or change.schedule_id.endswith(text.lower())
    return had_name and change.after.get("name") != text
