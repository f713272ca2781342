"""The evidence that an explanation is based on, and its result."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scheduling.domain.audit.changes import KeptChange
from scheduling.domain.cron.timezones import DEFAULT_TIMEZONE, is_canonical_timezone
from scheduling.domain.deliveries.spread import find_spread
from scheduling.domain.install import Install, Limits
from scheduling.domain.runs import Run
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import TimerSnapshot

from scheduling_admin.health.model import QueueState
from scheduling_admin.output.times import OccurrenceTime
from scheduling_admin.stack.dead_letters import DeadLetter
from scheduling_admin.stack.queues import PeekResult


class Verdict(StrEnum):
    """What happened to an occurrence."""

    SUCCEEDED = "succeeded"
    RUNNING = "running"
    WAITING = "waiting"
    RETRYING = "retrying"
    FAILED = "failed"
    CRASHED = "crashed"
    SKIPPED = "skipped"
    MISSED = "missed"
    NOT_SCHEDULED = "not-scheduled"
    UPCOMING = "upcoming"
    OVERDUE = "overdue"
    INACTIVE = "inactive"
    UNKNOWN = "unknown"
    NOT_RUN = "not-run"

    @property
    def needs_attention(self) -> bool:
        """Return whether an operator has to act."""
        return self in _ATTENTION_VERDICTS


_ATTENTION_VERDICTS = {
    Verdict.WAITING,
    Verdict.RETRYING,
    Verdict.FAILED,
    Verdict.CRASHED,
    Verdict.MISSED,
    Verdict.NOT_RUN,
}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that an explanation of one occurrence is based on.

    `overlapping_run` is the run because of which this one was skipped. `changes` are those of the schedule and of its
    install, oldest first, without gaps up to now. `peek_result` is None if the dead-letter queue
    was not read, because its content makes no difference; `queue` is that of the queue of occurrences, likewise.
    `last_delivery` is the scheduled time of the newest occurrence that was delivered before the timer was found wrong
    or created anew; None if that makes no difference.
    """

    occurrence: OccurrenceTime
    now: datetime
    install: Install
    schedule: Schedule
    run: Run | None
    overlapping_run: Run | None
    timer: TimerSnapshot | None
    peek_result: PeekResult[DeadLetter] | None
    changes: tuple[KeptChange, ...]
    limits: Limits
    log_group: str
    queue: QueueState | None = None
    last_delivery: str | None = None

    @property
    def has_later_delivery(self) -> bool:
        """Whether the timer has delivered a later occurrence before it was found wrong or created anew."""
        return self.last_delivery is not None and self.last_delivery > self.occurrence.scheduled_time

    @property
    def spread(self) -> timedelta:
        """How long after its scheduled time the schedule may fire."""
        return find_spread(self.schedule, self.limits)

    @property
    def timezone(self) -> str:
        """The schedule's time zone; UTC if there is no such zone."""
        return usable_timezone(self.schedule)

    @property
    def dead_letters(self) -> list[DeadLetter]:
        """The dead letters of the occurrence."""
        if self.peek_result is None:
            return []
        return list(filter(self._matches_occurrence, self.peek_result.messages))

    def _matches_occurrence(self, dead_letter: DeadLetter) -> bool:
        fire = dead_letter.fire
        return (
            fire is not None
            and fire.schedule_id == self.schedule.id
            and fire.scheduled_time == self.occurrence.scheduled_time
        )


def usable_timezone(schedule: Schedule) -> str:
    """Return the schedule's time zone; UTC if there is no such zone."""
    name = schedule.definition.timezone
    return name if is_canonical_timezone(name) else DEFAULT_TIMEZONE


@dataclass(frozen=True)
class Explanation:
    """The verdict, a summary in one sentence, the reasons for it, and advice."""

    verdict: Verdict
    summary: str
    reasons: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
