"""The progress of the full sweep, and the timers that it compares."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduling.domain.ids import InstallId, ScheduleId


class SweepPhase(StrEnum):
    """A phase of a sweep: it goes through all installs, then through all timers."""

    INSTALLS = "installs"
    TIMERS = "timers"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepState:
    """The progress of the sweep.

    `phase` is None between sweeps; `cursor` is the position in the phase, None at its beginning.
    """

    next_sweep_at: datetime
    phase: SweepPhase | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerSnapshot:
    """A timer as EventBridge Scheduler has it.

    Attributes:
        install_id: None if the timer's input does not name an install.
        revision: None if the timer's input has no revision.
        matches_stack: Whether target, role, queue and state are those of this stack.
    """

    schedule_id: ScheduleId
    install_id: InstallId | None
    expression: str
    timezone: str
    revision: int | None
    matches_stack: bool
