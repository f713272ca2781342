"""What an explanation goes by, and what it comes to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduling.domain.install import Install
from scheduling.domain.runs import Run
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import TimerSnapshot

from scheduling_admin.output.times import OccurrenceTime
from scheduling_admin.stack.dead_letters import DeadLetter, PeekResult


class Verdict(StrEnum):
    """What became of an occurrence."""

    SUCCEEDED = "succeeded"
    RUNNING = "running"
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
        """Whether somebody has to look after it."""
        return self in _ATTENTION_VERDICTS


_ATTENTION_VERDICTS = {Verdict.RETRYING, Verdict.FAILED, Verdict.CRASHED, Verdict.MISSED, Verdict.NOT_RUN}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is known of one occurrence.

    `under_way` is another run that was under way when this one was skipped. `look` is None where the dead-letter queue
    was not looked at, since it makes no difference.
    """

    occurrence: OccurrenceTime
    now: datetime
    install: Install
    schedule: Schedule
    run: Run | None
    overlapping_run: Run | None
    timer: TimerSnapshot | None
    peek_result: PeekResult | None
    history_days: int
    log_group: str

    @property
    def timezone(self) -> str:
        """The schedule's."""
        return self.schedule.definition.timezone

    @property
    def dead_letters(self) -> list[DeadLetter]:
        """The occurrence's own letters."""
        return (
            [
                dead_letter
                for dead_letter in self.peek_result.dead_letters
                if self._matches_occurrence(dead_letter)
            ]
            if self.peek_result
            else []
        )

    def _matches_occurrence(self, dead_letter: DeadLetter) -> bool:
        fire = dead_letter.fire
        return (
            fire is not None
            and fire.schedule_id == self.schedule.id
            and fire.scheduled_time == self.occurrence.scheduled_time
        )


@dataclass(frozen=True)
class Explanation:
    """The answer in one sentence, what it rests on, and what to do."""

    verdict: Verdict
    summary: str
    reasons: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
