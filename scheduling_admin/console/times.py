"""Times as the viewer reads them: the console runs on the viewer's machine, so its time zone is the viewer's."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo


def localize(moment: datetime) -> datetime:
    """Return the moment on the viewer's clock."""
    return moment.astimezone()


def format_moment(moment: datetime) -> str:
    """Format a moment on the viewer's clock, such as `Mon 23 Nov 10:00`; with the year if it is another one."""
    local = localize(moment)
    year = "" if local.year == localize(datetime.now(UTC)).year else " %Y"
    seconds = ":%S" if local.second else ""
    return local.strftime(f"%a %d %b{year} %H:%M{seconds}")


def format_zone(moment: datetime) -> str:
    """Return the name of the viewer's time zone at the moment, such as `CET`."""
    return localize(moment).strftime("%Z")


def format_zoned(moment: datetime, timezone: str) -> str:
    """Format a moment on the clock of a zone, such as `Mon 23 Nov 10:00 CET`."""
    return f"{moment.astimezone(ZoneInfo(timezone)):%a %d %b %H:%M %Z}"


def format_beside(moment: datetime, zone: tzinfo | None, first: datetime) -> str:
    """Format a moment on another clock beside the `first`: the day only where it is another one."""
    local = moment.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == first.date() else f"{local:%a %d %b %H:%M}"


def format_occurrence(moment: datetime, timezone: str) -> str:
    """Format the time of an occurrence on the clock of its zone, such as `Mon 23 Nov 2026 10:00 CET`."""
    local = moment.astimezone(ZoneInfo(timezone))
    return local.strftime(f"%a %d %b %Y %H:%M{':%S' if local.second else ''} %Z")
