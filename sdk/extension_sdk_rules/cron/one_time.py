# Copied from layers/scheduling/scheduling/domain by scripts/vendor_rules.py. Do not edit.
"""A one-time rule, in EventBridge's own form `at(…)` (contract, section 4)."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from extension_sdk_rules.errors import InvalidCron

_PREFIX = "at("
_PATTERN = re.compile(
    r"at\(([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?\)", re.ASCII
)
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
"""The years that EventBridge knows."""


@dataclass(frozen=True, slots=True)
class OneTimeRule:
    """A parsed expression: the trimmed text, and its time on the wall clock of whichever zone it is used in."""

    text: str
    wall_time: datetime

    @property
    def smallest_gap_minutes(self) -> None:
        """None, since it fires once."""


def is_one_time(text: str) -> bool:
    """Return whether the text is meant as a one-time rule, valid or not."""
    return text.lstrip(" \t\r\n")[: len(_PREFIX)].lower() == _PREFIX


@lru_cache(maxsize=128)
def parse_one_time(text: str) -> OneTimeRule:
    """Parse `at(yyyy-mm-ddThh:mm)` or `at(yyyy-mm-ddThh:mm:ss)`.

    Raises:
        InvalidCron: The text has another form, or names a date or a time that no calendar has.
    """
    text = text.strip(" \t\r\n")
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise InvalidCron(
            "Invalid one-time schedule (expected at(yyyy-mm-ddThh:mm) or at(yyyy-mm-ddThh:mm:ss))"
        )
    year, month, day, hour, minute, second = (int(group or 0) for group in match.groups())
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise InvalidCron(
            f"Invalid one-time schedule (year: {year:04} is not between {_FIRST_YEAR} and {_LAST_YEAR})"
        )
    try:
        return OneTimeRule(text, datetime(year, month, day, hour, minute, second))  # noqa: DTZ001 - of any zone
    except ValueError:
        raise InvalidCron(f"Invalid one-time schedule ({text[3:-1]} is no date and time)") from None
