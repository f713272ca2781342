"""What is read of the table at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduling.domain.idempotency import EarlierWrite
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install, InstallConfig
from scheduling.domain.runs import Run
from scheduling.domain.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a write depends on, each part strongly consistent, not all of one moment; None is absent."""

    install: Install | None
    schedule: Schedule | None = None
    name_owner: ScheduleId | None = None
    earlier: EarlierWrite | None = None


@dataclass(frozen=True, slots=True)
class FireSnapshot:
    """What a fire depends on, each part strongly consistent, not all of one moment; None is absent."""

    install: Install | None
    config: InstallConfig
    schedule: Schedule | None
    run: Run | None


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """Schedules in order of creation; `next_after` is the last one's id where there are more."""

    install: Install | None
    schedules: Sequence[Schedule]
    next_after: ScheduleId | None = None


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs newest first; `next_before` is the last one's scheduled time where there are more."""

    runs: Sequence[Run]
    next_before: str | None = None


@dataclass(frozen=True, slots=True)
class PendingItem:
    """What EventBridge may differ from: a schedule, or with `schedule_id` None all those of an install."""

    install_id: InstallId
    schedule_id: ScheduleId | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Partition:
    """All that an install has in its partition but its runs and remembered writes."""

    install: Install | None
    schedules: Sequence[Schedule]
    names: Mapping[str, ScheduleId]
