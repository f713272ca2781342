"""Parse and format times and durations for operators, in UTC and in a schedule's time zone."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduling.domain.cron.occurrences import FIRE_SEARCH_HORIZON, fire_times
from scheduling.domain.cron.rule import Rule
from scheduling.domain.runs import format_manual_time, format_time

_CALENDAR_YEARS = range(1970, 2200)
"""The years that an EventBridge cron expression may name."""
_FRACTION_PATTERN = re.compile(r"\.\d")


@dataclass(frozen=True)
class OccurrenceTime:
    """The time of an occurrence; `scheduled_time` is its identifier in the history, `moment` its time in UTC.

    `wall_time` is the time on the wall clock of the schedule's zone. Where clocks go forward past it, it is
    `nonexistent`, and `moment` is about an hour later. If it occurs twice, `moment` is the first.
    """

    scheduled_time: str
    moment: datetime
    wall_time: datetime
    nonexistent: bool
    manual: bool


def parse_occurrence_time(text: str, timezone: str) -> OccurrenceTime:
    """Parse an ISO 8601 time; without an offset, it is a time on the wall clock of the zone.

    Raises:
        ValueError: The text is not such a time. The message is for the operator.
    """
    try:
        parsed = datetime.fromisoformat(text.strip())
        zoned = parsed if parsed.tzinfo else parsed.replace(tzinfo=ZoneInfo(timezone))
        moment = zoned.astimezone(UTC)
        wall_time = moment.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
        if moment.year not in _CALENDAR_YEARS:
            raise ValueError(text)
    except (ValueError, OverflowError):
        example = "2026-11-23T09:00:00Z, or 2026-11-23T09:00 in the schedule's zone"
        raise ValueError(f"{text} is not a time such as {example}.") from None
    manual = bool(_FRACTION_PATTERN.search(text))
    return OccurrenceTime(
        scheduled_time=format_manual_time(moment) if manual else format_time(moment),
        moment=moment,
        wall_time=wall_time if parsed.tzinfo else parsed,
        nonexistent=not parsed.tzinfo and wall_time != parsed,
        manual=manual,
    )


def find_last_fire(rule: Rule, timezone: str, before: datetime) -> datetime | None:
    """Return the rule's last fire before the moment, in UTC."""
    for lookback in (timedelta(days=1), timedelta(days=32), timedelta(days=367), FIRE_SEARCH_HORIZON):
        earlier_fires = list(
            fire_times(rule, timezone, before - lookback, before - timedelta(microseconds=1))
        )
        if earlier_fires:
            return earlier_fires[-1]
    return None


def find_nonexistent_times(rule: Rule, timezone: str, after: datetime, until: datetime) -> list[datetime]:
    """Return the rule's local times between two moments that do not exist, because clocks go forward past them."""
    zone = ZoneInfo(timezone)
    start, end = (moment.astimezone(zone).replace(tzinfo=UTC) for moment in (after, until))
    wall_times = (wall_time.replace(tzinfo=None) for wall_time in fire_times(rule, "UTC", start, end))
    return [wall for wall in wall_times if _is_nonexistent(wall, zone)]


def _is_nonexistent(wall_time: datetime, zone: ZoneInfo) -> bool:
    return wall_time.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall_time


def format_wall_time(wall_time: datetime) -> str:
    """Format a time on a wall clock, such as `Mon 2026-11-23 09:00`."""
    date_format = "%a %Y-%m-%d %H:%M:%S" if wall_time.second else "%a %Y-%m-%d %H:%M"
    return wall_time.strftime(date_format)


def format_local_time(moment: datetime, timezone: str) -> str:
    """Format the moment on the wall clock of the zone, such as `Mon 2026-11-23 10:00 CET`."""
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{format_wall_time(local)} {local:%Z}"


def format_local_and_utc(moment: datetime, timezone: str) -> str:
    """Format the moment on the wall clock of the zone, followed by UTC if the zone is another."""
    local = format_local_time(moment, timezone)
    return local if local.endswith(" UTC") else f"{local} ({format_time(moment)})"


def format_duration(duration: timedelta) -> str:
    """Format a duration in at most two units, such as `812 ms` or `3 min 20 s`."""
    seconds = duration.total_seconds()
    if (milliseconds := round(seconds * 1000)) < 1000:
        return f"{milliseconds} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    parts = [f"{amount} {unit}" for amount, unit in units if amount]
    return " ".join(parts[:2])


def format_milliseconds(milliseconds: int) -> str:
    """Format a duration of so many milliseconds."""
    return format_duration(timedelta(milliseconds=milliseconds))
