"""The times at which a rule fires in its time zone, with DST by EventBridge's rule (contract, section 5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_clock
from itertools import product
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from scheduling.domain.cron.one_time import OneTimeRule

if TYPE_CHECKING:
    from scheduling.domain.cron.grammar import CronRule
    from scheduling.domain.cron.rule import Rule

FIRE_SEARCH_HORIZON = timedelta(days=8 * 365 + 2)
"""The longest wait between two fires of any rule: 29 February, around 2100."""
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A time on the wall clock of a zone; the first one if the clock shows it twice.

    Attributes:
        wall_time: An aware time.
        utc: The same moment; for a time that does not exist, a later one.
        offset_change: How far clocks go forward at this time; negative if they go back.
    """

    wall_time: datetime
    utc: datetime
    offset_change: timedelta

    @property
    def skipped(self) -> bool:
        """Whether it does not exist."""
        return self.offset_change > timedelta()

    @property
    def repeated(self) -> bool:
        """Whether the clock shows it twice."""
        return self.offset_change < timedelta()


def format_time(moment: datetime) -> str:
    """Return the scheduled time of an occurrence as text."""
    return moment.astimezone(UTC).strftime(_TIME_FORMAT)


def resolve_one_time(rule: OneTimeRule, timezone: str) -> LocalTime:
    """Return the only time of the rule in the zone, which may not exist."""
    return _resolve_local_time(rule.wall_time.replace(tzinfo=ZoneInfo(timezone)))


def next_fire_time(
    rule: "Rule",
    timezone: str,
    after: datetime,
    within: timedelta = FIRE_SEARCH_HORIZON,
) -> datetime | None:
    """Return the first fire after the aware time `after`, in UTC; None if there is none `within` that time.

    Goes through the days, without croniter, because each write and each fire needs it.
    """
    if isinstance(rule, OneTimeRule):
        return next(fire_times(rule, timezone, after, after + within), None)
    zone, until = ZoneInfo(timezone), after + within
    start = after.astimezone(zone)
    day, first_hour, last_day = start.date(), start.hour, until.astimezone(zone).date()
    while day <= last_day:
        if rule.matches_day(day):
            for hour, minute in product((hour for hour in rule.hours if hour >= first_hour), rule.minutes):
                time = _resolve_local_time(datetime.combine(day, wall_clock(hour, minute), zone))
                if time.utc > after and not time.skipped:
                    return time.utc if time.utc <= until else None
        day, first_hour = _next_candidate_day(rule, day), 0
    return None


def _next_candidate_day(rule: "CronRule", day: date) -> date:
    """Return the next day, or the first one of the next month if the rule has no day in this one."""
    if day.month in rule.months:
        return day + timedelta(days=1)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def fire_times(rule: "Rule", timezone: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the fires in (`after`, `until`], both aware, in order and in UTC.

    A local time that does not exist is skipped; one that repeats fires the first time only.
    """
    return (time.utc for time in local_times(rule, timezone, after, until) if not time.skipped)


def fires_at(rule: "Rule", timezone: str, moment: datetime) -> bool:
    """Return whether the rule fires at exactly the aware time `moment`, without a search through other times."""
    if isinstance(rule, OneTimeRule):
        time = resolve_one_time(rule, timezone)
        return time.utc == moment and not time.skipped
    local = moment.astimezone(ZoneInfo(timezone))
    return (
        (local.second, local.microsecond, local.fold)
        == (0, 0, 0)  # fold 1: the clock shows it for the second time
        and local.minute in rule.minutes
        and local.hour in rule.hours
        and rule.matches_day(local.date())
    )


def latest_fire_time(rule: "Rule", timezone: str, after: datetime, until: datetime) -> datetime | None:
    """Return the last fire in (`after`, `until`], both aware, in UTC; None if there is none.

    Goes backwards through the days, without croniter, because each late occurrence needs it.
    """
    if isinstance(rule, OneTimeRule):
        return next(fire_times(rule, timezone, after, until), None)
    zone = ZoneInfo(timezone)
    day, first_day = until.astimezone(zone).date(), after.astimezone(zone).date()
    while day >= first_day:
        if rule.matches_day(day):
            for hour, minute in product(reversed(rule.hours), reversed(rule.minutes)):
                time = _resolve_local_time(datetime.combine(day, wall_clock(hour, minute), zone))
                if time.utc <= after:
                    return None
                if time.utc <= until and not time.skipped:
                    return time.utc
        day -= timedelta(days=1)
    return None


def fires_in(rule: "Rule", timezone: str, first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield the fires in [`first`, `last`], both aware, in order and in UTC, as `fire_times` but without croniter."""
    if isinstance(rule, OneTimeRule):
        yield from fire_times(rule, timezone, first - timedelta(microseconds=1), last)
        return
    zone = ZoneInfo(timezone)
    for day in _matching_days(rule, first.astimezone(zone).date(), last.astimezone(zone).date()):
        yield from (moment for moment in _fires_of_day(rule, day, zone) if first <= moment <= last)


def count_fires(rule: "Rule", timezone: str, first: datetime, last: datetime) -> int:
    """Return how many fires [`first`, `last`] has, at the cost of its days rather than of its fires."""
    if isinstance(rule, OneTimeRule):
        return len(list(fires_in(rule, timezone, first, last)))
    zone = ZoneInfo(timezone)
    first_day, last_day = first.astimezone(zone).date(), last.astimezone(zone).date()
    count = 0
    for day in _matching_days(rule, first_day, last_day):
        if first_day < day < last_day and _has_one_offset(day, zone):
            count += len(rule.hours) * len(rule.minutes)
        else:
            count += sum(first <= moment <= last for moment in _fires_of_day(rule, day, zone))
    return count


def _matching_days(rule: "CronRule", first_day: date, last_day: date) -> Iterator[date]:
    day = first_day
    while day <= last_day:
        if rule.matches_day(day):
            yield day
        day = _next_candidate_day(rule, day)


def _fires_of_day(rule: "CronRule", day: date, zone: ZoneInfo) -> Iterator[datetime]:
    for hour, minute in product(rule.hours, rule.minutes):
        time = _resolve_local_time(datetime.combine(day, wall_clock(hour, minute), zone))
        if not time.skipped:
            yield time.utc


def _has_one_offset(day: date, zone: ZoneInfo) -> bool:
    """Return whether no clock change can skip a time of the day."""
    midnight = datetime.combine(day, wall_clock(), zone)
    return midnight.utcoffset() == (midnight + timedelta(days=1)).utcoffset()


def local_times(rule: "Rule", timezone: str, after: datetime, until: datetime) -> Iterator[LocalTime]:
    """Yield the local times of the fires in (`after`, `until`], and between them those that do not exist.

    Nonexistent times may also follow the last fire, because none of them shows that `until` has passed.
    """
    if isinstance(rule, OneTimeRule):
        time = resolve_one_time(rule, timezone)
        if time.skipped or after < time.utc <= until:
            yield time
        return
    zone = ZoneInfo(timezone)
    latest = after
    start = after.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    for wall_time in _matching_wall_times(rule, start):
        time = _resolve_local_time(wall_time.replace(tzinfo=zone))
        if time.skipped:
            yield time
        elif time.utc > until:
            return
        elif time.utc > latest:
            latest = time.utc
            yield time


def _resolve_local_time(wall_time: datetime) -> LocalTime:
    # Fold 0 uses the offset before a clock change, fold 1 the offset after it, in a gap as well (PEP 495).
    before, after = wall_time.astimezone(UTC), wall_time.replace(fold=1).astimezone(UTC)
    return LocalTime(wall_time, utc=before, offset_change=before - after)


def _matching_wall_times(rule: "CronRule", start: datetime) -> Iterator[datetime]:
    """Yield the naive times after `start` that match the fields."""
    # Imported here because the import takes as long as two bare interpreter starts, and few functions need it.
    from croniter import croniter  # type: ignore[import-untyped]

    expression = " ".join(
        (
            _format_field(rule.minutes, 60),
            _format_field(rule.hours, 24),
            _format_field(rule.days_of_month, 31),
            _format_field(rule.months, 12),
            _format_field(rule.days_of_week, 7),
        )
    )
    times: Iterator[datetime] = croniter(expression, start, max_years_between_matches=8).all_next(datetime)
    return times


def _format_field(values: tuple[int, ...], size: int) -> str:
    return "*" if len(values) == size else ",".join(map(str, values))
