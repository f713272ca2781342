# Copied from layers/scheduling/scheduling/domain by scripts/vendor_rules.py. Do not edit.
"""The cron rule of a schedule: its grammar and its limits (contract, section 4)."""

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise, product
from typing import NamedTuple

from extension_sdk_rules.errors import InvalidCron

MAX_CRON_LENGTH = 128
_MINUTES_PER_DAY = 24 * 60
_SHORTEST_MONTH, _LONGEST_MONTH = 28, 31

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS_OF_WEEK = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True, slots=True)
class CronRule:
    """A parsed expression: the trimmed text, and the ascending values of each field (Sunday is 0)."""

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days_of_month: tuple[int, ...]
    months: tuple[int, ...]
    days_of_week: tuple[int, ...]

    @property
    def smallest_gap_minutes(self) -> int | None:
        """The fewest minutes between two fires on the wall clock; None if no day ever matches."""
        days = self._smallest_gap_days()
        if days is None:
            return None
        times = [60 * hour + minute for hour, minute in product(self.hours, self.minutes)]
        over_midnight = days * _MINUTES_PER_DAY - times[-1] + times[0]
        return min([over_midnight, *(later - earlier for earlier, later in pairwise(times))])

    @property
    def fires_every_year(self) -> bool:
        """Whether the rule matches several days of every year, so that clock changes cannot skip all of them."""
        days = [day for day in self.days_of_month if day <= _SHORTEST_MONTH]
        return len(self.days_of_week) < len(DAYS_OF_WEEK) or len(days) * len(self.months) > 1

    def _smallest_gap_days(self) -> int | None:
        if len(self.months) == len(_MONTHS) and len(self.days_of_month) == _LONGEST_MONTH:
            return min(later - earlier for earlier, later in pairwise(self._days_of_week_and_next_first()))
        matching = (day for day in _LEAP_CYCLE if self.matches_day(date.fromordinal(day)))
        smallest = None
        for earlier, later in pairwise(matching):
            gap = later - earlier
            smallest = gap if smallest is None else min(smallest, gap)
            if smallest == 1:
                break
        return smallest

    def _days_of_week_and_next_first(self) -> tuple[int, ...]:
        return (*self.days_of_week, self.days_of_week[0] + len(DAYS_OF_WEEK))

    def matches_day(self, day: date) -> bool:
        """Return whether the rule fires on the day."""
        return (
            day.month in self.months
            and day.day in self.days_of_month
            and day.isoweekday() % 7 in self.days_of_week
        )


# From one leap year to the next there is every turn of month and year, so every shortest gap.
_LEAP_CYCLE = range(date(2024, 1, 1).toordinal(), date(2029, 1, 1).toordinal())


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    wildcard_end: int  # the last value of `*` and `n/s`
    names: Mapping[str, int]


_DAY_OF_WEEK = _Field("day-of-week", 0, 7, 6, {name: day for day, name in enumerate(DAYS_OF_WEEK)})
_FIELDS = (
    _Field("minute", 0, 59, 59, {}),
    _Field("hour", 0, 23, 23, {}),
    _Field("day-of-month", 1, 31, 31, {}),
    _Field("month", 1, 12, 12, {name: month for month, name in enumerate(_MONTHS, 1)}),
    _DAY_OF_WEEK,
)
_NAME_LETTERS = "".join(_MONTHS + DAYS_OF_WEEK)
_ALLOWED_CHARACTERS = frozenset(" \t*,-/" + string.digits + _NAME_LETTERS + _NAME_LETTERS.lower())
_SEPARATOR_PATTERN = re.compile(r"[ \t]+")
_PART_PATTERN = re.compile(r"(?:\*|([0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?)(?:/([0-9]+))?")


@lru_cache(maxsize=128)
def parse_cron(text: str) -> CronRule:
    """Parse `minute hour day-of-month month day-of-week`, separated by runs of spaces and tabs.

    Each field is a comma list of `*`, `*/s`, `n`, `n-m`, `n/s` (to the end of the field) and `n-m/s`. The result is
    cached, because a request needs the rule for its check and again for the timer.

    Raises:
        InvalidCron: The text has another form.
    """
    text = text.strip(" \t\r\n")
    if len(text) > MAX_CRON_LENGTH:
        raise InvalidCron("Cron expression too long")
    fields = _SEPARATOR_PATTERN.split(text)
    if len(fields) != len(_FIELDS):
        raise InvalidCron("Invalid cron expression (expected 5 fields: m h dom mon dow)")
    if not _ALLOWED_CHARACTERS.issuperset(text):
        raise InvalidCron("Invalid cron expression (unsupported characters)")
    minutes, hours, days_of_month, months, days_of_week = map(_parse_field, _FIELDS, fields)
    if fields[2] != "*" and fields[4] != "*":
        raise InvalidCron("Cron cannot set both day-of-month and day-of-week")
    normalized_days_of_week = tuple(sorted({day % 7 for day in days_of_week}))
    return CronRule(text, minutes, hours, days_of_month, months, normalized_days_of_week)


def _parse_field(field: _Field, text: str) -> tuple[int, ...]:
    return tuple(sorted({value for part in text.split(",") for value in _parse_part(field, part or text)}))


def _parse_part(field: _Field, part: str) -> range:
    match = _PART_PATTERN.fullmatch(part)
    if match is None:
        raise _build_field_error(field, f"{part} is malformed")
    first, last, step = match.groups()
    low = _parse_number(field, first) if first else field.low
    if last:
        high = _parse_range_end(field, low, last)
    elif step or not first:
        low, high = low % (field.wildcard_end + 1), field.wildcard_end  # 7 is Sunday, like 0
    else:
        high = low
    if low > high:
        raise _build_field_error(field, f"{part} is a wrapped range")
    stride = int(step) if step else 1
    if not 1 <= stride <= field.high:
        raise _build_field_error(field, f"the step of {part} is not between 1 and {field.high}")
    return range(low, high + 1, stride)


def _parse_range_end(field: _Field, low: int, text: str) -> int:
    # A Sunday that ends a range is the one after its first day: FRI-SUN is 5-7, but SUN-SUN one day, as MON-MON is.
    return 7 if low and field is _DAY_OF_WEEK and text.upper() == "SUN" else _parse_number(field, text)


def _parse_number(field: _Field, text: str) -> int:
    number = int(text) if text.isdigit() else field.names.get(text.upper())
    if number is None or not field.low <= number <= field.high:
        raise _build_field_error(field, f"{text} is not between {field.low} and {field.high}")
    return number


def _build_field_error(field: _Field, reason: str) -> InvalidCron:
    return InvalidCron(f"Invalid cron expression ({field.name}: {reason})")
