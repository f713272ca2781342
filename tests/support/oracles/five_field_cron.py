"""The five-field cron grammar implemented independently of the layer, and generated expressions."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from hypothesis import strategies as st


class Field(NamedTuple):
    low: int
    high: int
    end: int  # the last value of `*` and `n/s`
    names: tuple[str, ...] = ()  # of the values from `low` on
    end_names: tuple[str, ...] = ()  # the same, at the end of a range


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MINUTE, HOUR, DAY = Field(0, 59, 59), Field(0, 23, 23), Field(1, 31, 31)
MONTH = Field(1, 12, 12, _MONTHS, _MONTHS)
WEEKDAY = Field(0, 7, 6, (*_DAYS, "SUN"), ("0", *_DAYS[1:], "SUN"))


def matches_field(field: Field, text: str, value: int) -> bool:
    """Return whether the field's text matches the value."""
    return any(_matches_part(field, part.upper(), value) for part in text.split(","))


def _matches_part(field: Field, part: str, value: int) -> bool:
    span, _, step = part.partition("/")
    start, is_range, stop = span.partition("-")
    first = field.low if start == "*" else _parse_number(field, start, field.names)
    if is_range:
        last = _parse_number(field, stop, field.end_names)
        last = 0 if (first, stop) == (0, "SUN") else last  # SUN-SUN is one day, as MON-MON is
    elif step or start == "*":
        first, last = 0 if first > field.end else first, field.end
    else:
        last = first
    return first <= value <= last and (value - first) % int(step or 1) == 0


def _parse_number(field: Field, text: str, names: tuple[str, ...]) -> int:
    return field.low + names.index(text) if text in names else int(text)


class FiveFieldCron:
    """One expression, evaluated on the wall clock by matching every value against the text."""

    def __init__(self, text: str) -> None:
        minute, hour, day, month, weekday = text.split()
        self.minutes = {value for value in range(60) if matches_field(MINUTE, minute, value)}
        self.hours = {value for value in range(24) if matches_field(HOUR, hour, value)}
        self.days = {value for value in range(1, 32) if matches_field(DAY, day, value)}
        self.months = {value for value in range(1, 13) if matches_field(MONTH, month, value)}
        self.weekdays = {value % 7 for value in range(8) if matches_field(WEEKDAY, weekday, value)}

    def matches(self, local: datetime) -> bool:
        """Return whether the expression matches this minute."""
        return self.matches_day(local) and local.hour in self.hours and local.minute in self.minutes

    def fires(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield every matching minute in (after, until], in order."""
        midnight = after.replace(hour=0, minute=0, second=0, microsecond=0)
        while midnight <= until:
            if self.matches_day(midnight):
                times = (midnight + timedelta(minutes=minute) for minute in range(24 * 60))
                yield from (time for time in times if after < time <= until and self.matches(time))
            midnight += timedelta(days=1)

    def matches_day(self, day: datetime) -> bool:
        """Return whether the expression matches any minute of the day."""
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays


@st.composite
def cron_texts(draw: st.DrawFn) -> str:
    """Generate expressions of the whole grammar, in every form, name, case and spacing."""
    days = draw(st.sampled_from(["neither", "of month", "of week"]))
    fields = [
        draw(_field_texts(MINUTE)),
        draw(_field_texts(HOUR)),
        draw(_field_texts(DAY)) if days == "of month" else "*",
        draw(st.just("*") | _field_texts(MONTH)),
        draw(_field_texts(WEEKDAY)) if days == "of week" else "*",
    ]
    return draw(st.sampled_from([" ", "  "])).join(fields)


def cron_texts_in_any_month() -> st.SearchStrategy[str]:
    """Generate the same with any month, so that many expressions fire within a few days."""
    return cron_texts().map(_with_days_of_every_month)


def _with_days_of_every_month(text: str) -> str:
    minute, hour, day, _, weekday = text.split()
    return f"{minute} {hour} {day} * {weekday}"


def _field_texts(field: Field) -> st.SearchStrategy[str]:
    return st.lists(_part_texts(field), min_size=1, max_size=3).map(",".join)


@st.composite
def _part_texts(draw: st.DrawFn, field: Field) -> str:
    form = draw(st.sampled_from(["*", "n", "n-m"]))
    step = draw(st.sampled_from(["", f"/{draw(st.integers(1, field.high))}"]))
    if form == "*":
        return f"*{step}"
    first = draw(st.integers(field.low, field.high if form == "n" else field.end))
    start = draw(_number_texts(field, first, field.names))
    if form == "n":
        return start + step
    last = draw(st.integers(first, field.high))
    return f"{start}-{draw(_number_texts(field, last, field.end_names))}{step}"


def _number_texts(field: Field, number: int, names: tuple[str, ...]) -> st.SearchStrategy[str]:
    name = names[number - field.low] if names else str(number)
    return st.sampled_from([str(number), f"{number:02}", name, name.lower(), name.capitalize()])
