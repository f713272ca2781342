"""Times as the viewer reads them: the console runs on the viewer's machine, so its time zone is the viewer's."""

from datetime import datetime
from zoneinfo import ZoneInfo


def localize(moment: datetime) -> datetime:
    """Return the moment on the viewer's clock."""
    return moment.astimezone()


def format_moment(moment: datetime) -> str:
    """Format a moment on the viewer's clock, such as `Mon 23 Nov 10:00`."""
    local = localize(moment)
    seconds = ":%S" if local.second else ""
    return local.strftime(f"%a %d %b %H:%M{seconds}")


def format_zone(moment: datetime) -> str:
    """Return the name of the viewer's time zone at the moment, such as `CET`."""
    return localize(moment).strftime("%Z")


def format_zoned(moment: datetime, timezone: str) -> str:
    """Format a moment on the clock of a zone, such as `Mon 23 Nov 10:00 CET`."""
    return f"{moment.astimezone(ZoneInfo(timezone)):%a %d %b %H:%M %Z}"
