"""Where the full sweep stands, and what it found."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduling.domain.ids import InstallId, ScheduleId


class SweepPhase(StrEnum):
    """The two walks of a sweep."""

    INSTALLS = "installs"
    TIMERS = "timers"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepState:
    """`phase` is None between sweeps; `cursor` is where in the phase to go on, None its beginning."""

    next_sweep_at: datetime
    phase: SweepPhase | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerSnapshot:
    """What stands in EventBridge under a schedule's id; ids are None where the input does not name them."""

    schedule_id: ScheduleId
    install_id: InstallId | None
    expression: str
    timezone: str
    revision: int | None
    matches_stack: bool
    """Whether target, role, queue and state are those of this stack."""
