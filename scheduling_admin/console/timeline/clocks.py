"""The changes of a zone's clocks that skip or repeat fires of a rule."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from scheduling.domain.cron.occurrences import LocalTime, local_times
from scheduling.domain.cron.rule import Rule

from scheduling_admin.console.timeline.gaps import Gap, GapCause
from scheduling_admin.console.timeline.window import TimeWindow

_MARK = timedelta(minutes=10)
"""Local times that do not exist have no length; they are drawn so far to both sides of the change."""
_STEP = timedelta(hours=6)
"""Clocks do not change twice within it."""
_MINUTE = timedelta(minutes=1)


def find_clock_changes(rule: Rule, timezone: str, window: TimeWindow) -> Iterator[Gap]:
    """Yield a gap for each change of clocks within the window that concerns fires of the rule."""
    for moment, change in _find_changes(ZoneInfo(timezone), window):
        after = min(moment, moment + change) - _MINUTE
        times = [
            time
            for time in local_times(rule, timezone, after, moment + abs(change))
            if abs(time.utc - moment) <= abs(change)
        ]
        if skipped := [time for time in times if time.skipped]:
            text = f"{_describe(skipped, 'does', 'do')} not exist in {timezone}: clocks go forward."
            yield Gap(GapCause.DST_SKIP, moment - _MARK, moment + _MARK, text)
        if repeated := [time for time in times if time.repeated]:
            text = f"{_describe(repeated, 'occurs', 'occur')} twice in {timezone}: only the first time fires."
            yield Gap(GapCause.DST_REPEAT, moment, moment - change, text)


def _find_changes(zone: ZoneInfo, window: TimeWindow) -> Iterator[tuple[datetime, timedelta]]:
    """Yield when clocks change, and how far they go forward; that is negative if they go back."""
    start = window.start
    while start < window.end:
        end = min(start + _STEP, window.end)
        if change := _offset(zone, end) - _offset(zone, start):
            yield _bisect(zone, start, end), change
        start = end


def _bisect(zone: ZoneInfo, start: datetime, end: datetime) -> datetime:
    """Return the first second with the offset of the end."""
    while end - start > timedelta(seconds=1):
        middle = start + (end - start) / 2
        start, end = (start, middle) if _offset(zone, middle) == _offset(zone, end) else (middle, end)
    return end.replace(microsecond=0)


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _describe(times: list[LocalTime], verb: str, plural_verb: str) -> str:
    first, last = times[0].wall_time, times[-1].wall_time
    if len(times) == 1:
        return f"{first:%Y-%m-%d %H:%M} {verb}"
    return f"{first:%Y-%m-%d %H:%M} to {last:%H:%M} ({len(times)} times) {plural_verb}"
