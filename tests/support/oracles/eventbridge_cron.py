"""EventBridge's six-field cron dialect by brute force, from its documentation alone, without code of the layer.

Minute, hour, day of month, month, day of week (1 is SUN), year; lists, ranges, steps, names and `?`.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class EventBridgeCron:
    """One `cron(...)` expression, evaluated in UTC.

    Raises:
        ValueError: EventBridge refuses the expression.
    """

    def __init__(self, expression: str) -> None:
        if len(expression) > 256:
            raise ValueError("longer than 256 characters")
        match = re.fullmatch(r"cron\((.*)\)", expression)
        if match is None:
            raise ValueError("not cron(...)")
        minute, hour, day, month, weekday, year = match[1].split(" ")
        if [day, weekday].count("?") != 1:
            raise ValueError("exactly one day field must be ?")
        self.minutes = _parse_values(minute, 0, 59)
        self.hours = _parse_values(hour, 0, 23)
        self.days = set(range(1, 32)) if day == "?" else _parse_values(day, 1, 31)
        self.months = _parse_values(_replace_names(month, _MONTHS), 1, 12)
        self.weekdays = (
            set(range(1, 8)) if weekday == "?" else _parse_values(_replace_names(weekday, _DAYS), 1, 7)
        )
        self.years = _parse_values(year, 1970, 2199)

    def fires(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield every fire in (after, until], in order."""
        day = after.replace(hour=0, minute=0, second=0, microsecond=0)
        while day <= until:
            if self._matches_day(day):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        fire = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                        if after < fire <= until:
                            yield fire
            day += timedelta(days=1)

    def _matches_day(self, day: datetime) -> bool:
        weekday = (day.weekday() + 1) % 7 + 1
        return (
            day.year in self.years
            and day.month in self.months
            and day.day in self.days
            and weekday in self.weekdays
        )


def _replace_names(text: str, names: tuple[str, ...]) -> str:
    return re.sub("[A-Z]+", lambda match: str(names.index(match[0]) + 1), text)


def _parse_values(text: str, low: int, high: int) -> set[int]:
    values: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"(\*|(\d+)(-(\d+))?)(/(\d+))?", part)
        if match is None:
            raise ValueError(f"not a list, range or step: {part}")
        first = low if match[1] == "*" else int(match[2])
        if match[4]:
            last = int(match[4])
        elif match[1] == "*" or match[6]:
            last = high
        else:
            last = first
        if not low <= first <= last <= high:
            raise ValueError(f"out of range: {part}")
        values.update(range(first, last + 1, int(match[6] or 1)))
    return values
