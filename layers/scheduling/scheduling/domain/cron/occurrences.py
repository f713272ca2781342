"""When a cron rule fires in its time zone, DST by EventBridge's rule (contract, section 5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from scheduling.domain.cron.grammar import CronRule

EIGHT_YEARS = timedelta(days=8 * 365 + 2)
"""The longest wait between two fires of any rule: 29 February, around 2100."""


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A time on the wall clock of a zone; of one that comes twice, the first.

    `wall` is aware, and `utc` the same moment; a time that is skipped reads as a later one. `jump` is how far clocks
    are put forward over it, negative where they are put back.
    """

    wall: datetime
    utc: datetime
    jump: timedelta

    @property
    def skipped(self) -> bool:
        """Whether it does not exist."""
        return self.jump > timedelta()

    @property
    def repeated(self) -> bool:
        """Whether it comes once more."""
        return self.jump < timedelta()


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
    return (time.utc for time in local_times(rule, timezone, after, until) if not time.skipped)


def local_times(rule: "CronRule", timezone: str, after: datetime, until: datetime) -> Iterator[LocalTime]:
    """Yield the local times of the fires in (`after`, `until`], and between them those that are skipped.

    Skipped ones may also follow the last fire, since none of them says that `until` has passed.
    """
    zone = ZoneInfo(timezone)
    latest = after
    start = after.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    for wall in _matching(rule, start):
        time = _local_time(wall.replace(tzinfo=zone))
        if time.skipped:
            yield time
        elif time.utc > until:
            return
        elif time.utc > latest:
            latest = time.utc
            yield time


def _local_time(wall: datetime) -> LocalTime:
    # Fold 0 reads by the offset before a change of clocks, fold 1 by the one after it, in a gap as well (PEP 495).
    before, after = wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
    return LocalTime(wall, utc=before, jump=before - after)


def _matching(rule: "CronRule", start: datetime) -> Iterator[datetime]:
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
