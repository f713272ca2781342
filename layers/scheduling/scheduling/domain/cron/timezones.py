"""The time zone of a schedule (contract, section 4)."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from scheduling.domain.errors import InvalidTimezone

DEFAULT_TIMEZONE = "UTC"
MAX_TIMEZONE_LENGTH = 50
INVALID_TIMEZONE_TEXT = "Invalid timezone"
_REFUSED_BY_EVENTBRIDGE = frozenset({"EST", "HST", "MST", "ROC"})
"""IANA names that EventBridge Scheduler does not know; a schedule stored with one can still be read and deleted."""
_NO_ZONE = "Factory"
"""Means "not set up yet"."""


def check_timezone(text: str | None) -> str:
    """Return the IANA name that `text` has in any case, in its canonical case; UTC if it is None or empty.

    Raises:
        InvalidTimezone: There is no such zone, or EventBridge is known to refuse it.
    """
    name = (text or "").strip()
    if not name:
        return DEFAULT_TIMEZONE
    canonical = _timezone_names().get(name.lower()) if len(name) <= MAX_TIMEZONE_LENGTH else None
    if canonical is None or not name.isascii():
        raise InvalidTimezone(INVALID_TIMEZONE_TEXT)
    return canonical


def is_canonical_timezone(name: str) -> bool:
    """Return whether a stored name is that of a zone, in its canonical spelling."""
    return (
        name == DEFAULT_TIMEZONE
        or name in _REFUSED_BY_EVENTBRIDGE
        or _timezone_names().get(name.lower()) == name
    )


@cache
def _timezone_names() -> Mapping[str, str]:
    """Return the canonical names by the names in lower case, which are as many."""
    # zoneinfo.available_timezones() scans the disk, which is slow, and its result differs between machines.
    names = files("tzdata").joinpath("zones").read_text("utf-8").split()
    return {name.lower(): name for name in names if name != _NO_ZONE and name not in _REFUSED_BY_EVENTBRIDGE}
