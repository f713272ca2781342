"""Moments as operators write and read them: in UTC, and on the wall clock of a schedule's zone."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from scheduling.domain.cron.grammar import CronRule, parse_cron
from scheduling.domain.cron.occurrences import EIGHT_YEARS, fires
from scheduling.domain.runs import manual_time_text, time_text
from scheduling.domain.schedule import Definition

_YEARS = range(1970, 2200)
"""Those of EventBridge's calendar."""
_MANUAL = re.compile(r"\.\d")


@dataclass(frozen=True)
class Asked:
    """The occurrence that is asked for, by the name it would have; `moment` is its time in UTC.

    `wall` is the time on the wall clock; where it is `skipped`, no such moment exists, and `moment` is one hour or so
    later. Of one that comes twice, the first is meant.
    """

    name: str
    moment: datetime
    wall: datetime
    skipped: bool
    manual: bool


def asked(text: str, timezone: str) -> Asked:
    """What the operator wrote: an ISO 8601 time, without an offset one on the wall clock of the zone.

    Raises ValueError, whose text is for the operator.
    """
    try:
        given = datetime.fromisoformat(text.strip())
        zoned = given if given.tzinfo else given.replace(tzinfo=ZoneInfo(timezone))
        moment = zoned.astimezone(UTC)
        wall = moment.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
        if moment.year not in _YEARS:
            raise ValueError(text)
    except (ValueError, OverflowError):
        example = "2026-11-23T09:00:00Z, or 2026-11-23T09:00 in the schedule's zone"
        raise ValueError(f"{text} is no time such as {example}.") from None
    manual = bool(_MANUAL.search(text))
    return Asked(
        name=manual_time_text(moment) if manual else time_text(moment),
        moment=moment,
        wall=wall if given.tzinfo else given,
        skipped=not given.tzinfo and wall != given,
        manual=manual,
    )


def next_fires(definition: Definition, after: datetime, count: int) -> list[datetime]:
    """The rule's next fires, in UTC, whether the schedule is enabled or not."""
    rule = parse_cron(definition.cron)
    return list(islice(fires(rule, definition.timezone, after, after + EIGHT_YEARS), count))


def last_fire(rule: CronRule, timezone: str, before: datetime) -> datetime | None:
    """The rule's last fire before the moment, in UTC."""
    for span in (timedelta(days=1), timedelta(days=32), timedelta(days=367), EIGHT_YEARS):
        found = list(fires(rule, timezone, before - span, before - timedelta(microseconds=1)))
        if found:
            return found[-1]
    return None


def skipped_times(rule: CronRule, timezone: str, after: datetime, until: datetime) -> list[datetime]:
    """The rule's local times between two moments that do not exist, since clocks are put forward over them."""
    zone = ZoneInfo(timezone)
    begin, end = (moment.astimezone(zone).replace(tzinfo=UTC) for moment in (after, until))
    walls = (wall.replace(tzinfo=None) for wall in fires(rule, "UTC", begin, end))
    return [wall for wall in walls if _skipped(wall, zone)]


def _skipped(wall: datetime, zone: ZoneInfo) -> bool:
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall


def wall_text(wall: datetime) -> str:
    """A time on a wall clock, such as `Mon 2026-11-23 09:00`."""
    form = "%a %Y-%m-%d %H:%M:%S" if wall.second else "%a %Y-%m-%d %H:%M"
    return wall.strftime(form)


def local_text(moment: datetime, timezone: str) -> str:
    """The moment on the wall clock of the zone, such as `Mon 2026-11-23 10:00 CET`."""
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{wall_text(local)} {local:%Z}"


def both_text(moment: datetime, timezone: str) -> str:
    """The moment on the wall clock of the zone, and in UTC where that is another."""
    local = local_text(moment, timezone)
    return local if local.endswith(" UTC") else f"{local} ({time_text(moment)})"


def fire_fields(moment: datetime, timezone: str) -> dict[str, object]:
    """The moment for machines."""
    return {"utc": time_text(moment), "local": moment.astimezone(ZoneInfo(timezone)).isoformat()}


def instant(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, as in the API."""
    return manual_time_text(moment) if moment else None


def span_text(span: timedelta) -> str:
    """A length of time in one unit or two, such as `3 min 20 s`."""
    seconds = span.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    told = [f"{amount} {unit}" for amount, unit in units if amount]
    return " ".join(told[:2])
