"""EventBridge's six-field ``cron(…)``, minutes hours day-of-month month day-of-week year, and its ``at(…)``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_ITEM = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?")
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)", re.ASCII)
LAST_YEAR = 2199


@dataclass(frozen=True)
class CronField:
    """A field: its name, its range, and the words for numbers from the start of the range."""

    name: str
    first: int
    last: int
    words: tuple[str, ...] = ()

    def parse(self, text: str) -> frozenset[int]:
        """Return the values of a field's text."""
        return frozenset().union(*(self._parse_item(item) for item in text.split(",")))

    def _parse_item(self, text: str) -> range:
        match = _ITEM.fullmatch(text)
        if not match:
            raise ValueError(f"{self.name} {text!r} is not understood")
        star, start, end, step = match.groups()
        low = self.first if star else self._parse_value(start)
        high = self.last if star or (step and not end) else self._parse_value(end or start)
        if low > high or step == "0":
            raise ValueError(f"{self.name} {text!r} selects no value")
        return range(low, high + 1, int(step or 1))

    def _parse_value(self, text: str) -> int:
        if text.upper() in self.words:
            return self.first + self.words.index(text.upper())
        if not text.isdecimal() or not self.first <= int(text) <= self.last:
            raise ValueError(f"{self.name} {text!r} is out of range")
        return int(text)


_MINUTE = CronField("minute", 0, 59)
_HOUR = CronField("hour", 0, 23)
_DAY_OF_MONTH = CronField("day of month", 1, 31)
_MONTH = CronField("month", 1, 12, _MONTHS)
_DAY_OF_WEEK = CronField("day of week", 1, 7, _DAYS)
_YEAR = CronField("year", 1970, LAST_YEAR)


@dataclass(frozen=True)
class At:
    """A parsed ``at(…)``: a time on the wall clock, which is the only one at which it fires."""

    wall_time: datetime

    def next_after(self, instant: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the fire time in UTC if it is after an instant."""
        fire = self.wall_time.replace(tzinfo=zone).astimezone(UTC)
        exists = fire.astimezone(zone).replace(tzinfo=None) == self.wall_time
        return fire if exists and fire > instant else None


@dataclass(frozen=True)
class Cron:
    """A parsed expression; a day field of ``?`` is None."""

    times: tuple[time, ...]
    days_of_month: frozenset[int] | None
    months: frozenset[int]
    days_of_week: frozenset[int] | None
    years: frozenset[int]

    def next_after(self, instant: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the first fire time after an instant, in UTC; None if there is none.

        A local time that does not exist is skipped, and one that repeats fires the first time only.
        """
        local = instant.astimezone(zone)
        for day in self._days_from(local.date()):
            for fire_time in self.times:
                if day == local.date() and fire_time < local.time().replace(second=0, microsecond=0):
                    continue
                fire = datetime.combine(day, fire_time, zone).astimezone(UTC)
                exists = fire.astimezone(zone).replace(tzinfo=None) == datetime.combine(day, fire_time)
                if exists and fire > instant:
                    return fire
        return None

    def _days_from(self, day: date) -> Iterator[date]:
        while day.year <= max(self.years):
            if day.month not in self.months or day.year not in self.years:
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
                continue
            if self._matches(day):
                yield day
            day += timedelta(days=1)

    def _matches(self, day: date) -> bool:
        if self.days_of_week is None:
            return self.days_of_month is not None and day.day in self.days_of_month
        return day.isoweekday() % 7 + 1 in self.days_of_week


def parse_expression(expression: str) -> At | Cron:
    """Parse ``at(…)`` or ``cron(…)``.

    Raises:
        ValueError: EventBridge refuses the expression, or this evaluator does not support it.
    """
    if match := _AT.fullmatch(expression):
        return At(datetime.fromisoformat(match[1]))
    return parse_cron(expression)


def parse_cron(expression: str) -> Cron:
    """Parse ``cron(…)``.

    Raises:
        ValueError: EventBridge refuses the expression, or this evaluator does not support it.
    """
    match = re.fullmatch(r"cron\(([^()]*)\)", expression)
    fields = match.group(1).split() if match else []
    if len(fields) != 6:
        raise ValueError(f"{expression!r} is not cron(…) with six fields")
    minutes, hours, days_of_month, months, days_of_week, years = fields
    if [days_of_month, days_of_week].count("?") != 1:
        raise ValueError(f"{expression!r} needs exactly one ? in its day fields")
    hours_and_minutes = ((h, m) for h in sorted(_HOUR.parse(hours)) for m in sorted(_MINUTE.parse(minutes)))
    return Cron(
        times=tuple(time(hour, minute) for hour, minute in hours_and_minutes),
        days_of_month=None if days_of_month == "?" else _DAY_OF_MONTH.parse(days_of_month),
        months=_MONTH.parse(months),
        days_of_week=None if days_of_week == "?" else _DAY_OF_WEEK.parse(days_of_week),
        years=_YEAR.parse(years),
    )
