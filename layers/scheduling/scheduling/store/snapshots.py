"""What is read of the table at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install, InstallConfig
from scheduling.domain.runs import ManualRun, Run
from scheduling.domain.schedule import IdempotencyRecord, Schedule
from scheduling.domain.window import RateLimitWindow


@dataclass(frozen=True, slots=True)
class ScheduleSnapshot:
    """What a write depends on, each part strongly consistent, not all of one moment; None is absent."""

    install: Install | None
    schedule: Schedule | None = None
    name_owner: ScheduleId | None = None
    idempotency_record: IdempotencyRecord | None = None


@dataclass(frozen=True, slots=True)
class FireSnapshot:
    """What a fire depends on, each part strongly consistent, not all of one moment; None is absent."""

    install: Install | None
    config: InstallConfig
    schedule: Schedule | None
    run: Run | None


@dataclass(frozen=True, slots=True)
class ManualRunSnapshot:
    """What a request to run a schedule now depends on; `window` has the recent ones of the schedule."""

    install: Install | None
    schedule: Schedule | None
    window: RateLimitWindow
    earlier_run: ManualRun | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingItem:
    """What is not finished: a schedule's timer, all schedules of an install, or all installs of a tenant."""

    pending_since: datetime
    tenant_id: str | None = None
    install_id: InstallId | None = None
    schedule_id: ScheduleId | None = None


@dataclass(frozen=True, slots=True)
class InstallPartition:
    """All that an install has in its partition but its runs and remembered writes."""

    install: Install | None
    schedules: Sequence[Schedule]
    name_owners: Mapping[str, ScheduleId]
