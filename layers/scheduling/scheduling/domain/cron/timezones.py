"""The time zone of a schedule (contract, section 4)."""

from functools import cache
from importlib.resources import files

from scheduling.domain.errors import InvalidTimezone


def check_timezone(text: str) -> str:
    """Return the IANA name in `text`, trimmed. The longest has 32 characters.

    Raises:
        InvalidTimezone: There is no such zone.
    """
    name = text.strip()
    if name not in _timezone_names():
        raise InvalidTimezone("Invalid timezone")
    return name


@cache
def _timezone_names() -> frozenset[str]:
    # zoneinfo.available_timezones() scans the disk, which is slow, and its result differs between machines.
    names = files("tzdata").joinpath("zones").read_text("utf-8").split()
    return frozenset(names) - {"Factory"}  # means "not set up yet"
