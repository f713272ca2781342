"""What a query returns: a schedule or an install, with what its timers and its history say about it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from scheduling.domain.cron.occurrences import FIRE_SEARCH_HORIZON, LocalTime, local_times
from scheduling.domain.cron.rule import parse_rule
from scheduling.domain.deliveries.firing import as_read
from scheduling.domain.install import Install
from scheduling.domain.runs import RunStatus
from scheduling.domain.schedule import PAUSED_AFTER_FAILURES, Definition, Schedule
from scheduling.domain.sweeps import TimerSnapshot
from scheduling.operations.services import Services

from scheduling_admin.status import FiringStatus, evaluate_firing_status, include_timer

MAX_PARALLEL_READS = 16
"""Requests under way at once, so that a page of many timers stays far below EventBridge's rate limit."""
_RUNS_SEARCHED = 5
"""The newest runs, among which one that waits has to be."""

SchedulePair = tuple[Install, Schedule]


@dataclass(frozen=True, kw_only=True)
class ScheduleView:
    """A schedule with the latest change of its install applied, its status and its next fires.

    `waiting` says that one of its newest occurrences waits for the runner or for another run.
    """

    install: Install
    schedule: Schedule
    status: FiringStatus
    next_fires: tuple[LocalTime, ...] = ()
    waiting: bool = False

    @classmethod
    def create_view(
        cls,
        pair: SchedulePair,
        timer: TimerSnapshot | None,
        now: datetime,
        count: int,
        *,
        waiting: bool = False,
    ) -> "ScheduleView":
        """Return the view with up to `count` fires after `now`; a schedule that does not fire has none."""
        install, schedule = pair
        status = include_timer(evaluate_firing_status(install, schedule), timer, schedule, now)
        upcoming_fires = list_next_fires(schedule.definition, now, count) if status.fires else []
        return cls(
            install=install,
            schedule=as_read(schedule, install, now),
            status=status,
            next_fires=tuple(upcoming_fires),
            waiting=waiting,
        )

    @property
    def failing(self) -> bool:
        """Whether the newest run has failed, and its owner has not disabled the schedule since."""
        schedule = self.schedule
        has_failed = schedule.last_run is not None and schedule.last_run.status == RunStatus.ERROR
        return has_failed and (schedule.definition.enabled or schedule.disabled_reason is not None)

    @property
    def expected(self) -> bool:
        """Whether it is to fire: not if its owner has disabled it, nor if its only occurrence has come."""
        disabled_by_service = self.schedule.disabled_reason is not None and not self.schedule.completed
        return self.schedule.definition.enabled or disabled_by_service

    @property
    def paused(self) -> bool:
        """Whether its tenant is paused, or the service has paused it after failures."""
        return self.install.paused or self.schedule.disabled_reason == PAUSED_AFTER_FAILURES


def list_next_fires(definition: Definition, after: datetime, count: int) -> list[LocalTime]:
    """Return the rule's next fires, even if the schedule is disabled."""
    rule = parse_rule(definition.cron)
    upcoming_times = local_times(rule, definition.timezone, after, after + FIRE_SEARCH_HORIZON)
    return list(islice((time for time in upcoming_times if not time.skipped), count))


def read_schedule_views(services: Services, pairs: Sequence[SchedulePair], fires: int) -> list[ScheduleView]:
    """Return the views of schedules, each with its timer in EventBridge if it should have one.

    One GetSchedule for each of these, and one Query of the history of each that is marked as waiting.
    """
    now = services.clock()

    def read_view(pair: SchedulePair) -> ScheduleView:
        needs_timer = evaluate_firing_status(*pair).fires
        timer = services.timers.get_timer(pair[1].id) if needs_timer else None
        waiting = pair[1].waiting and _has_waiting_run(services, pair[1])
        return ScheduleView.create_view(pair, timer, now, fires, waiting=waiting)

    with ThreadPoolExecutor(MAX_PARALLEL_READS) as pool:
        return list(pool.map(read_view, pairs))


def _has_waiting_run(services: Services, schedule: Schedule) -> bool:
    page = services.runs.read_run_page(schedule.install_id, schedule.id, before=None, limit=_RUNS_SEARCHED)
    return any(run.status is RunStatus.WAITING for run in page.runs)


@dataclass(frozen=True, kw_only=True)
class InstallView:
    """An install with its schedules, and what keeps it, as a whole, from firing."""

    install: Install
    blockers: tuple[str, ...]
    schedules: Sequence[ScheduleView]

    @property
    def expected(self) -> Sequence[ScheduleView]:
        """Its schedules but for those that their owner has disabled, and those that are completed."""
        return [view for view in self.schedules if view.expected]

    @property
    def firing_count(self) -> int:
        """The number of its schedules that fire."""
        return sum(view.status.fires for view in self.expected)

    @property
    def failing_count(self) -> int:
        """The number of its schedules whose newest run has failed."""
        return sum(view.failing for view in self.schedules)

    @property
    def fires(self) -> bool:
        """Whether all of its enabled schedules fire, and there are any."""
        return bool(self.expected) and self.firing_count == len(self.expected)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why not all of its schedules fire, the most frequent reasons first; nothing if they all do."""
        if self.blockers:
            return self.blockers
        if not self.expected:
            return (self._describe_none_expected(),)
        return tuple(self._count_reasons())

    def _describe_none_expected(self) -> str:
        if not self.schedules:
            return "it has no schedules"
        if any(view.schedule.completed for view in self.schedules):
            return "its schedules are disabled, or their only time has passed"
        return "its schedules are disabled"

    def _count_reasons(self) -> Iterator[str]:
        counts: dict[str, int] = {}
        for view in self.expected:
            for blocker in view.status.blockers:
                counts[blocker] = counts.get(blocker, 0) + 1
        for blocker in sorted(counts, key=lambda each: -counts[each]):
            yield blocker if counts[blocker] == 1 else f"{blocker} ({counts[blocker]})"

    @property
    def last_run_at(self) -> datetime | None:
        """When the newest run of any of its schedules started."""
        runs = (view.schedule.last_run for view in self.schedules)
        return max((run.started_at for run in runs if run), default=None)

    @property
    def consecutive_failures(self) -> int:
        """The most failures in a row of any of its schedules."""
        return max((view.schedule.consecutive_failures for view in self.schedules), default=0)

    @property
    def next_fire_at(self) -> str | None:
        """The scheduled time of the next occurrence of any of its schedules."""
        fires = (view.schedule.next_fire for view in self.schedules if view.status.fires)
        return min(filter(None, fires), default=None)
