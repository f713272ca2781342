"""The marks of a timeline: one for each occurrence, by its outcome."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scheduling.domain.runs import Run, RunStatus, Trigger

from scheduling_admin.console.timeline.window import TimeWindow

LATE_AFTER = timedelta(minutes=1)
"""A start later than this is drawn at both times."""


class MarkKind(StrEnum):
    """The outcome of an occurrence, the one that needs attention most last."""

    UPCOMING = "upcoming"
    SUCCESS = "success"
    RUNNING = "running"
    SKIPPED = "skipped"
    NO_RECORD = "no-record"
    WAITING = "waiting"
    RETRYING = "retrying"
    MISSED = "missed"
    ERROR = "error"
    DEAD_LETTER = "dead-letter"

    @property
    def label(self) -> str:
        """The outcome in words."""
        return _LABELS[self]

    @property
    def severity(self) -> int:
        """How much attention the outcome needs, compared with others."""
        return list(MarkKind).index(self)


_LABELS: Mapping[MarkKind, str] = {
    MarkKind.UPCOMING: "to come",
    MarkKind.SUCCESS: "success",
    MarkKind.RUNNING: "running",
    MarkKind.SKIPPED: "skipped",
    MarkKind.NO_RECORD: "no run recorded",
    MarkKind.WAITING: "waiting",
    MarkKind.RETRYING: "failed, to be retried",
    MarkKind.MISSED: "missed",
    MarkKind.ERROR: "error",
    MarkKind.DEAD_LETTER: "dead letter",
}


_ORIGINS: Mapping[Trigger, str] = {
    Trigger.SCHEDULE: "",
    Trigger.MANUAL: "manual run",
    Trigger.BACKFILL: "backfill",
}


@dataclass(frozen=True)
class Mark:
    """One occurrence; `started_at` is set where it started late, and `detail` says more than the outcome."""

    kind: MarkKind
    scheduled_time: str
    moment: datetime
    trigger: Trigger = Trigger.SCHEDULE
    started_at: datetime | None = None
    detail: str | None = None

    @property
    def manual(self) -> bool:
        """Whether it was started by hand."""
        return self.trigger is Trigger.MANUAL

    @property
    def origin(self) -> str:
        """What has started it, unless it was the schedule."""
        return _ORIGINS[self.trigger]

    @property
    def was_delivered(self) -> bool:
        """Whether its timer has fired at its time: nothing kept the schedule from it."""
        return self.trigger is Trigger.SCHEDULE and self.kind not in (
            MarkKind.UPCOMING,
            MarkKind.NO_RECORD,
            MarkKind.SKIPPED,
            MarkKind.MISSED,
        )


@dataclass(frozen=True)
class Cluster:
    """Marks that are too close to each other to be drawn apart."""

    marks: Sequence[Mark]

    @property
    def worst(self) -> Mark:
        """The newest of the marks whose outcome needs attention most."""
        return max(self.marks, key=lambda mark: (mark.kind.severity, mark.moment))

    @property
    def counts(self) -> list[tuple[MarkKind, int]]:
        """How many marks there are of each outcome, the worst first."""
        counts = Counter(mark.kind for mark in self.marks)
        return sorted(counts.items(), key=lambda item: -item[0].severity)


def classify_run(run: Run, now: datetime) -> MarkKind:
    """Return the outcome that a run shows."""
    match run.status:
        case RunStatus.SUCCESS:
            return MarkKind.SUCCESS
        case RunStatus.RUNNING:
            return MarkKind.ERROR if run.is_lease_expired(now) else MarkKind.RUNNING
        case RunStatus.SKIPPED:
            return MarkKind.SKIPPED
        case RunStatus.MISSED:
            return MarkKind.MISSED
        case RunStatus.WAITING:
            return MarkKind.WAITING
    if not run.failed_permanently:
        return MarkKind.RETRYING
    return MarkKind.DEAD_LETTER if run.retryable or run.wait_token else MarkKind.ERROR


def mark_from_run(run: Run, now: datetime, spread: timedelta = timedelta()) -> Mark:
    """Return the mark of a run in the history, whose timer fires at some time within `spread`.

    A backfill is not late: it was asked for later.
    """
    moment = datetime.fromisoformat(run.scheduled_time)
    is_first = run.was_attempted and run.attempt == 1 and run.trigger is not Trigger.BACKFILL
    is_late = is_first and run.started_at - moment > spread + LATE_AFTER
    return Mark(
        kind=classify_run(run, now),
        scheduled_time=run.scheduled_time,
        moment=moment,
        trigger=run.trigger,
        started_at=run.started_at if is_late else None,
        detail=run.error,
    )


def cluster_marks(marks: Iterable[Mark], window: TimeWindow, min_distance: float) -> list[Cluster]:
    """Return the marks in clusters, the first marks of which are at least the fraction `min_distance` apart.

    What is to come is never in one cluster with what was: the two have different links and colors.
    """
    clusters: list[list[Mark]] = []
    for mark in sorted(marks, key=lambda each: each.moment):
        newest = clusters[-1] if clusters else None
        if newest and _belongs(mark, newest[0], window, min_distance):
            newest.append(mark)
        else:
            clusters.append([mark])
    return [Cluster(each) for each in clusters]


def _belongs(mark: Mark, first: Mark, window: TimeWindow, min_distance: float) -> bool:
    same_side = (mark.kind is MarkKind.UPCOMING) == (first.kind is MarkKind.UPCOMING)
    return same_side and window.fraction(mark.moment) - window.fraction(first.moment) < min_distance
