"""Where a page ended, as an opaque word for the next one."""

import base64
import binascii

from scheduling_admin.exits import AdminError, Exit


def encoded(kind: str, place: str | None) -> str | None:
    """A word for the place in lists of that kind; None at the end."""
    return base64.urlsafe_b64encode(f"{kind} {place}".encode()).decode() if place else None


def decoded(kind: str, cursor: str | None) -> str | None:
    """The place that the word stands for. Raises AdminError for one of another list."""
    if cursor is None:
        return None
    try:
        found, _, place = base64.urlsafe_b64decode(cursor).decode().partition(" ")
    except (binascii.Error, ValueError):
        found = place = ""
    if found != kind:
        text = f"--cursor {cursor} is not of this list; take the word that its last page ended with."
        raise AdminError(text, Exit.USAGE)
    return place
