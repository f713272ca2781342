"""What an explanation goes by, and what it comes to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduling.domain.install import Install
from scheduling.domain.runs import Run
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import Timer

from scheduling_admin.output.times import Asked
from scheduling_admin.stack.dead_letters import Letter, Look


class Verdict(StrEnum):
    """What became of an occurrence."""

    RAN = "ran"
    RUNNING = "running"
    RETRYING = "retrying"
    FAILED = "failed"
    DIED = "died"
    SKIPPED = "skipped"
    MISSED = "missed"
    NOT_DUE = "not-due"
    TO_COME = "to-come"
    AWAITED = "awaited"
    NOT_ACTIVE = "not-active"
    NOT_KNOWN = "not-known"
    NOT_RUN = "not-run"

    @property
    def wrong(self) -> bool:
        """Whether somebody has to look after it."""
        return self in _WRONG


_WRONG = {Verdict.RETRYING, Verdict.FAILED, Verdict.DIED, Verdict.MISSED, Verdict.NOT_RUN}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that is known of one occurrence.

    `under_way` is another run that was under way when this one was skipped. `look` is None where the dead-letter queue
    was not looked at, since it makes no difference.
    """

    asked: Asked
    now: datetime
    install: Install
    schedule: Schedule
    run: Run | None
    under_way: Run | None
    timer: Timer | None
    look: Look | None
    history_days: int
    log_group: str

    @property
    def zone(self) -> str:
        """The schedule's."""
        return self.schedule.definition.timezone

    @property
    def letters(self) -> list[Letter]:
        """The occurrence's own letters."""
        return [letter for letter in self.look.letters if self._mine(letter)] if self.look else []

    def _mine(self, letter: Letter) -> bool:
        fire = letter.fire
        return (
            fire is not None
            and fire.schedule_id == self.schedule.id
            and fire.scheduled_time == self.asked.name
        )


@dataclass(frozen=True)
class Explanation:
    """The answer in one sentence, what it rests on, and what to do."""

    verdict: Verdict
    answer: str
    because: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
