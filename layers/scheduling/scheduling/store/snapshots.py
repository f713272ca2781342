"""What one request reads from the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from scheduling.domain.errors import Conflict, UnreadableItem
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install, InstallConfig
from scheduling.domain.requests.idempotency import IdempotencyRecord
from scheduling.domain.runs import ManualRun, Run
from scheduling.domain.schedule import Schedule
from scheduling.domain.tenant import TenantCursor
from scheduling.domain.window import RateLimitWindow

if TYPE_CHECKING:
    from scheduling.domain.deliveries.decision import OccurrenceState


@dataclass(frozen=True, slots=True)
class ScheduleSnapshot:
    """What a write depends on: each part is strongly consistent, but not all of the same moment; None is absent."""

    install: Install | None
    schedule: Schedule | None = None
    name_owner: ScheduleId | None = None
    idempotency_record: IdempotencyRecord | None = None


@dataclass(frozen=True, slots=True)
class FireSnapshot:
    """What a fire depends on: each part is strongly consistent, but not all of the same moment; None is absent."""

    install: Install | None
    config: InstallConfig
    schedule: Schedule | None
    run: Run | None

    @property
    def state(self) -> "OccurrenceState":
        """What decides on the delivery."""
        # Imported here because the executor alone needs it, and every cold start would pay for the import.
        from scheduling.domain.deliveries.decision import OccurrenceState

        return OccurrenceState(install=self.install, schedule=self.schedule, run=self.run)

    def require_target(self) -> tuple[Install, Schedule]:
        """Return the install and the schedule.

        Raises:
            Conflict: One of them is absent.
        """
        if self.install is None or self.schedule is None:
            raise Conflict
        return self.install, self.schedule


@dataclass(frozen=True, slots=True)
class ManualRunSnapshot:
    """What a request to run a schedule now depends on; `window` holds the schedule's recent requests."""

    install: Install | None
    schedule: Schedule | None
    window: RateLimitWindow
    earlier_run: ManualRun | None


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """Schedules in order of creation; `next_after` is the id of the last one if there are more.

    `left_out` are those that lack a field which each listed schedule has.
    """

    install: Install | None
    schedules: Sequence[Schedule]
    next_after: ScheduleId | None = None
    left_out: Sequence[UnreadableItem] = ()

    @property
    def payload_bytes(self) -> int:
        """The size of all payloads in UTF-8."""
        return sum(map(payload_bytes, self.schedules))


def unreadable_schedule(schedule: Schedule) -> UnreadableItem:
    """Return the schedule, whose row cannot be used, as an item to report."""
    return UnreadableItem(
        "schedule", f"{schedule.id} of install {schedule.install_id}", str(schedule.unreadable)
    )


def payload_bytes(schedule: Schedule) -> int:
    """Return the size of the schedule's payload in UTF-8."""
    return len((schedule.definition.payload or "").encode())


@dataclass(frozen=True, slots=True)
class TenantEntry:
    """A schedule that the index of tenants names, with its install; None is absent by now."""

    position: TenantCursor
    install: Install | None
    schedule: Schedule | None


@dataclass(frozen=True, slots=True)
class TenantEntries:
    """Entries in the order of the index; `has_more` says that others follow."""

    entries: Sequence[TenantEntry]
    has_more: bool


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs, newest first; `next_before` is the scheduled time of the last one if there are more.

    `left_out` are those that cannot be read.
    """

    runs: Sequence[Run]
    next_before: str | None = None
    left_out: Sequence[UnreadableItem] = ()


@dataclass(frozen=True, slots=True)
class RecordedRuns:
    """What the history has of some period: all scheduled times, and the runs that wait for a message."""

    times: frozenset[str]
    waiting: Sequence[Run]


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingItem:
    """A pending change: of a schedule's timer, of all schedules of an install, or of all installs of a tenant.

    `pending_since` is None if it cannot be read.
    """

    pending_since: datetime | None
    tenant_id: str | None = None
    install_id: InstallId | None = None
    schedule_id: ScheduleId | None = None

    def __str__(self) -> str:
        """Name the tenant, the install or the schedule."""
        if self.tenant_id is not None:
            return f"tenant {self.tenant_id}"
        install = f"install {self.install_id}"
        return f"schedule {self.schedule_id} of {install}" if self.schedule_id else install


@dataclass(frozen=True, slots=True)
class IndexRepair:
    """A row, and the part of the index of what is unhealthy that it should be in, if any.

    Attributes:
        since: Since when, if the row knows; otherwise it is so at least since the repair.
        depends_on: The names of the attributes that decide on the part.
    """

    row: Any
    part: str | None
    since: datetime | None
    depends_on: Sequence[str]

    @property
    def item_id(self) -> str:
        """The key of the row, which names it in the log."""
        return f"{self.row.pk} {self.row.sk}"


@dataclass(frozen=True, slots=True)
class InstallPartition:
    """The partition of an install, without its idempotency records."""

    install: Install | None
    schedules: Sequence[Schedule]
    name_owners: Mapping[str, ScheduleId]
    orphaned_payloads: Sequence[ScheduleId] = ()
    """The schedules that payloads are stored for although no row names one."""
    index_repairs: Sequence[IndexRepair] = ()
    """The rows that the index of what is unhealthy lacks, or has in vain."""

    @property
    def unreadable_items(self) -> Sequence[UnreadableItem]:
        """What of the install and its schedules cannot be read."""
        items = [unreadable_schedule(schedule) for schedule in self.schedules if schedule.unreadable]
        if self.install and self.install.unreadable:
            items.insert(0, UnreadableItem("install", self.install.id, self.install.unreadable))
        return items
