"""When a cron rule fires in its time zone, DST by EventBridge's rule (contract, section 5)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from scheduling.domain.cron import CronRule

EIGHT_YEARS = timedelta(days=8 * 365 + 2)
"""The longest wait between two fires of any rule: 29 February, around 2100."""


def next_fire(
    rule: "CronRule",
    timezone: str,
    after: datetime,
    within: timedelta = EIGHT_YEARS,
) -> datetime | None:
    """The first fire after the aware time `after`, in UTC; None where there is none in that span."""
    return next(fires(rule, timezone, after, after + within), None)


def fires(rule: "CronRule", timezone: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the fires in (`after`, `until`], both aware, in order and in UTC.

    A local time that does not exist is skipped; of one that repeats, the first counts.
    """
    zone = ZoneInfo(timezone)
    latest = after
    for local in _local_times(rule, after.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)):
        fire = local.replace(tzinfo=zone).astimezone(UTC)
        if fire.astimezone(zone).replace(tzinfo=None) != local:
            continue  # a skipped time reads as a later one, so it says nothing about `until`
        if fire > until:
            return
        if fire > latest:
            latest = fire
            yield fire


def _local_times(rule: "CronRule", start: datetime) -> Iterator[datetime]:
    """The naive times after `start` that the fields match."""
    # Costs as much as two bare interpreter starts and runs a process: only for those who need it.
    from croniter import croniter  # type: ignore[import-untyped]

    expression = " ".join(
        (
            _field(rule.minutes, 60),
            _field(rule.hours, 24),
            _field(rule.days_of_month, 31),
            _field(rule.months, 12),
            _field(rule.days_of_week, 7),
        )
    )
    times: Iterator[datetime] = croniter(expression, start, max_years_between_matches=8).all_next(datetime)
    return times


def _field(values: tuple[int, ...], size: int) -> str:
    return "*" if len(values) == size else ",".join(map(str, values))
