"""A lane of a timeline: the marks and gaps of one schedule, from its rule, its history and its state alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduling.domain.cron.occurrences import fires_in, format_time
from scheduling.domain.cron.rule import Rule, parse_rule
from scheduling.domain.errors import InvalidCron
from scheduling.domain.install import Install
from scheduling.domain.runs import Run
from scheduling.domain.schedule import Schedule

from scheduling_admin.console.timeline.clocks import find_clock_changes
from scheduling_admin.console.timeline.finds import Repair, find_repair_gaps
from scheduling_admin.console.timeline.gaps import DRAWN_FROM_FIRST, Blocker, Gap, GapCause, list_blockers
from scheduling_admin.console.timeline.marks import Mark, MarkKind, mark_from_run
from scheduling_admin.console.timeline.window import TimeWindow
from scheduling_admin.explain.evidence import usable_timezone

_DELIVERY_GRACE = timedelta(minutes=2)
"""How long after its time, or its window, an occurrence without a run is not yet remarkable."""


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
    repairs: Sequence[Repair] = (),
) -> Lane:
    """Return the lane of a schedule.

    Args:
        install: The schedule's install.
        schedule: The schedule, with the latest change of its install applied.
        history: Its runs in the window.
        timer: Its timer.
        window: The window.
        changes: The periods without fires that recorded changes show.
        repairs: What the sweep has found about its timer.
    """
    rule, timezone = _read_rule(schedule), usable_timezone(schedule)
    run_marks = [mark_from_run(run, window.now, timer.spread) for run in history.runs]
    recorded = {mark.scheduled_time for mark in run_marks}
    all_fires = fires_in(rule, timezone, window.start, window.end) if rule else ()
    fires = [each for each in all_fires if format_time(each) not in recorded]
    delivered_until = window.now - _DELIVERY_GRACE - timer.spread
    expected = [each for each in fires if _is_expected(each, schedule, history, delivered_until)]
    repaired = list(find_repair_gaps(repairs, run_marks, expected))
    without_run = _take_after(expected, run_marks, repaired)
    covering = [
        *_find_edges(schedule, history, window),
        *changes,
        *(gap for gap in repaired if window.start < gap.end and gap.start < window.end),
        *_find_blocking_gaps(install, schedule, timer, window, without_run, changes),
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
    gaps = [*covering, *(find_clock_changes(rule, timezone, window) if rule else ())]
    return Lane(install, schedule, window, sorted(marks, key=lambda mark: mark.moment), gaps, timer)


def _read_rule(schedule: Schedule) -> Rule | None:
    if schedule.unreadable:
        return None
    try:
        return parse_rule(schedule.definition.cron)
    except InvalidCron:
        return None


def _is_expected(moment: datetime, schedule: Schedule, history: History, delivered_until: datetime) -> bool:
    """Return whether the present rule was due at the time, so that the history should have a run."""
    if moment > delivered_until:
        return False
    since = max(filter(None, (schedule.created_at, schedule.timer_since, history.complete_since)))
    return moment > since


def _take_after(
    moments: Sequence[datetime], marks: Sequence[Mark], repaired: Sequence[Gap]
) -> list[datetime]:
    """Return the moments after the newest occurrence that was delivered at its time, and after the newest repair."""
    known = [*(mark.moment for mark in marks if mark.was_delivered), *(gap.end for gap in repaired)]
    newest = max(known, default=None)
    return [each for each in moments if newest is None or each > newest]


def _find_blocking_gaps(
    install: Install,
    schedule: Schedule,
    timer: TimerState,
    window: TimeWindow,
    without_run: Sequence[datetime],
    changes: Sequence[Gap],
) -> Iterator[Gap]:
    """Yield the periods up to the end of the window in which the schedule does not fire, by its present state."""
    blockers = list_blockers(install, schedule)
    if not blockers and timer.missing:
        blockers = [Blocker(GapCause.NO_TIMER, "EventBridge has no timer for the schedule.", None)]
    known = list(changes)
    for blocker in sorted(blockers, key=lambda each: each.since is None):
        if any(each.cause is blocker.cause and each.end >= min(window.now, window.end) for each in changes):
            continue
        unexplained = [each for each in without_run if not _is_covered(each, known)]
        start = blocker.since or _find_earliest_start(schedule, window, unexplained)
        note = "" if blocker.since or start >= window.now else f" {DRAWN_FROM_FIRST}"
        if start < window.end:
            gap = Gap(
                blocker.cause,
                start,
                window.end,
                f"{blocker.detail}{note}",
                start_known=blocker.since is not None,
                end_known=False,
            )
            known.append(gap)
            yield gap


def _find_earliest_start(schedule: Schedule, window: TimeWindow, without_run: Sequence[datetime]) -> datetime:
    """Return since when nothing has run: since an occurrence of the window, or else the present."""
    has_run_later = schedule.last_run is not None and schedule.last_run.started_at > window.end
    if without_run and not has_run_later:
        return without_run[0]
    return window.now


def _find_edges(schedule: Schedule, history: History, window: TimeWindow) -> Iterator[Gap]:
    """Yield what lies before the schedule was created, and before the runs that are loaded."""
    if window.start < schedule.created_at:
        text = f"The schedule was created at {format_time(schedule.created_at)}."
        yield Gap(GapCause.NOT_CREATED, window.start, schedule.created_at, text, start_known=False)
    if history.complete_since and history.complete_since > window.start:
        text = "There are more runs than the timeline loads; choose a shorter time."
        yield Gap(GapCause.NOT_LOADED, window.start, history.complete_since, text, start_known=False)


def _is_covered(moment: datetime, gaps: Sequence[Gap]) -> bool:
    return any(gap.start <= moment <= gap.end for gap in gaps)


def _list_upcoming(
    fires: Sequence[datetime], covering: Sequence[Gap], delivered_until: datetime
) -> Iterator[Mark]:
    for moment in fires:
        if moment > delivered_until and not _is_covered(moment, covering):
            yield Mark(MarkKind.UPCOMING, format_time(moment), moment)
