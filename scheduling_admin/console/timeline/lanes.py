"""A lane of a timeline: the marks and gaps of one schedule, from its rule, its history and its state alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from scheduling.domain.cron.occurrences import LocalTime, format_time, local_times
from scheduling.domain.cron.rule import parse_rule
from scheduling.domain.errors import InvalidCron
from scheduling.domain.install import Install
from scheduling.domain.runs import Run
from scheduling.domain.schedule import Schedule

from scheduling_admin.console.timeline.gaps import Gap, GapCause, find_blocker
from scheduling_admin.console.timeline.marks import Mark, MarkKind, mark_from_run
from scheduling_admin.console.timeline.window import TimeWindow
from scheduling_admin.explain.evidence import usable_timezone

MAX_FIRES = 2_100
"""As many fires as the densest rule has in the longest window, of seven days before and after."""
_DELIVERY_GRACE = timedelta(minutes=2)
"""How long after its time, or its window, an occurrence without a run is not yet remarkable."""
_DST_MARK = timedelta(minutes=10)
"""A local time that does not exist has no length; it is drawn so far to both sides."""


@dataclass(frozen=True)
class History:
    """The runs of a window; `complete_since` is set if older ones of it are not loaded."""

    runs: Sequence[Run]
    complete_since: datetime | None = None


@dataclass(frozen=True)
class TimerState:
    """What is known of a timer: `missing` is None, and `problem` says why, if EventBridge could not be read.

    It fires at some time within `spread` after the scheduled time.
    """

    missing: bool | None
    differences: Sequence[str] = ()
    problem: str | None = None
    spread: timedelta = timedelta()


@dataclass(frozen=True)
class Lane:
    """One schedule in a window of time."""

    install: Install
    schedule: Schedule
    window: TimeWindow
    marks: Sequence[Mark]
    gaps: Sequence[Gap]
    timer: TimerState

    def list_marks(self, kind: MarkKind) -> list[Mark]:
        """Return the marks of one outcome."""
        return [mark for mark in self.marks if mark.kind is kind]


def build_lane(
    install: Install,
    schedule: Schedule,
    history: History,
    timer: TimerState,
    window: TimeWindow,
    changes: Sequence[Gap] = (),
) -> Lane:
    """Return the lane of a schedule.

    Args:
        install: The schedule's install.
        schedule: The schedule, with the latest change of its install applied.
        history: Its runs in the window.
        timer: Its timer.
        window: The window.
        changes: The periods without fires that recorded changes show.
    """
    times = _list_local_times(schedule, window)
    run_marks = [mark_from_run(run, window.now) for run in history.runs]
    recorded = {mark.scheduled_time for mark in run_marks}
    fires = [time.utc for time in times if not time.skipped and format_time(time.utc) not in recorded]
    delivered_until = window.now - _DELIVERY_GRACE - timer.spread
    expected = [each for each in fires if _is_expected(each, schedule, history, delivered_until)]
    covering = [
        *_find_edges(schedule, history, window),
        *changes,
        *_find_blocking_gap(install, schedule, timer, window, _take_after(expected, run_marks), changes),
    ]
    marks = [
        *run_marks,
        *(
            Mark(MarkKind.NO_RECORD, format_time(each), each)
            for each in expected
            if not _is_covered(each, covering)
        ),
        *_list_upcoming(fires, covering, delivered_until),
    ]
    gaps = [*covering, *_find_clock_changes(times, window)]
    return Lane(install, schedule, window, sorted(marks, key=lambda mark: mark.moment), gaps, timer)


def _list_local_times(schedule: Schedule, window: TimeWindow) -> list[LocalTime]:
    if schedule.unreadable:
        return []
    try:
        rule = parse_rule(schedule.definition.cron)
    except InvalidCron:
        return []
    times = local_times(rule, usable_timezone(schedule), window.start, window.end)
    return [time for time in islice(times, 2 * MAX_FIRES) if window.contains(time.utc)]


def _is_expected(moment: datetime, schedule: Schedule, history: History, delivered_until: datetime) -> bool:
    """Return whether the present rule was due at the time, so that the history should have a run."""
    if moment > delivered_until:
        return False
    since = max(filter(None, (schedule.created_at, schedule.timer_since, history.complete_since)))
    return moment > since


def _take_after(moments: Sequence[datetime], marks: Sequence[Mark]) -> list[datetime]:
    """Return the moments after the newest of the marks."""
    newest = max((mark.moment for mark in marks), default=None)
    return [each for each in moments if newest is None or each > newest]


def _find_blocking_gap(
    install: Install,
    schedule: Schedule,
    timer: TimerState,
    window: TimeWindow,
    without_run: Sequence[datetime],
    changes: Sequence[Gap],
) -> Iterator[Gap]:
    """Yield the period up to the end of the window in which the schedule does not fire, by its present state."""
    first_without_run = max(min(without_run, default=window.now), window.start)
    if blocker := find_blocker(install, schedule):
        if not any(change.cause is blocker.cause and change.end >= window.now for change in changes):
            start = max(blocker.since or first_without_run, window.start)
            is_known = blocker.since is not None
            yield Gap(blocker.cause, start, window.end, blocker.detail, start_known=is_known)
    elif timer.missing:
        text = "EventBridge has no timer for the schedule."
        yield Gap(GapCause.NO_TIMER, first_without_run, window.end, text, start_known=False)


def _find_edges(schedule: Schedule, history: History, window: TimeWindow) -> Iterator[Gap]:
    """Yield what lies before the schedule was created, and before the runs that are loaded."""
    if window.start < schedule.created_at < window.end:
        text = f"The schedule was created at {format_time(schedule.created_at)}."
        yield Gap(GapCause.NOT_CREATED, window.start, schedule.created_at, text)
    if history.complete_since and history.complete_since > window.start:
        text = "There are more runs than the timeline loads; choose a shorter time."
        yield Gap(GapCause.NOT_LOADED, window.start, history.complete_since, text)


def _find_clock_changes(times: Sequence[LocalTime], window: TimeWindow) -> Iterator[Gap]:
    for time in times:
        local = f"{time.wall_time:%Y-%m-%d %H:%M}"
        if time.skipped:
            text = f"{local} does not exist in {time.wall_time.tzinfo}: clocks go forward past it. It is skipped."
            yield Gap(GapCause.DST_SKIP, time.utc - _DST_MARK, time.utc + _DST_MARK, text)
        elif time.repeated and window.contains(time.utc - time.offset_change):
            text = f"{local} occurs twice in {time.wall_time.tzinfo}: it fires the first time only."
            yield Gap(GapCause.DST_REPEAT, time.utc, time.utc - time.offset_change, text)


def _is_covered(moment: datetime, gaps: Sequence[Gap]) -> bool:
    return any(gap.start <= moment <= gap.end for gap in gaps)


def _list_upcoming(
    fires: Sequence[datetime], covering: Sequence[Gap], delivered_until: datetime
) -> Iterator[Mark]:
    for moment in fires:
        if moment > delivered_until and not _is_covered(moment, covering):
            yield Mark(MarkKind.UPCOMING, format_time(moment), moment)
