"""What the operations need of the table, by its parts; `aws` has the implementations."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from scheduling.domain.idempotency import EarlierWrite
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Acceptance, Install, InstallConfig, Version
from scheduling.domain.runs import Fire, ManualRun, Run
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import SweepState
from scheduling.domain.tenant import Tenant
from scheduling.domain.window import Window
from scheduling.operations.snapshots import (
    FireSnapshot,
    ManualSnapshot,
    Partition,
    PendingItem,
    RunPage,
    SchedulePage,
    Snapshot,
)


class Conflict(Exception):
    """Something read for a write has changed since, or a concurrent write came first; read again."""


class Schedules(Protocol):
    """The schedules in the table, with what a write of one depends on.

    Here as in the other parts of the table: reads are strongly consistent, and each write is one conditional
    request. Every method raises Unavailable when DynamoDB does not answer within its retries, and every write
    raises Conflict when a condition of it did not hold.
    """

    def read(
        self,
        install_id: InstallId,
        schedule_id: ScheduleId | None = None,
        *,
        name: str | None = None,
        key: str | None = None,
    ) -> Snapshot:
        """The install, and with it the schedule, the owner of the name and the write of the key, as asked for."""

    def page(
        self,
        install_id: InstallId,
        *,
        after: ScheduleId | None,
        limit: int | None,
        max_bytes: int | None,
    ) -> SchedulePage:
        """The schedules that the install's owner has, oldest first, up to `limit` and `max_bytes` of payload.

        At least one, where there is one.
        """

    def all(self, install_id: InstallId) -> Sequence[Schedule]:
        """Every row of the install, those on their way out included."""

    def replace(
        self,
        before: Schedule | None,
        after: Schedule | None,
        *,
        accept: Acceptance | None = None,
        release: Acceptance | None = None,
        remember: EarlierWrite | None = None,
        forget: str | None = None,
    ) -> None:
        """One schedule from `before` to `after` (None: absent), with its names and the install's count.

        With `accept`, on condition that the install is of that generation, has room, and the slot is free;
        with `release`, the slot is given back, on condition of the generation. `remember` and `forget` keep
        and drop an idempotency key.
        """

    def pending(self, older_than: datetime, limit: int) -> Iterable[PendingItem]:
        """What has been pending since before `older_than`, installs included."""


class Runs(Protocol):
    """The history in the table: one row for each occurrence that was run or skipped."""

    def read(self, fire: Fire) -> FireSnapshot:
        """What the fire depends on."""

    def claim(self, fire: Fire, seen: FireSnapshot, claimed: Run) -> None:
        """Start an attempt, the occurrence and the schedule being as `seen`, and the schedule idle."""

    def record(self, schedule: Schedule, run: Run) -> None:
        """A run of the schedule that was not made, on condition that the history has none for its time."""

    def finish(self, fire: Fire, claimed: Run, finished: Run, *, on_schedule: bool = True) -> None:
        """The end of an attempt, in the history, and on the schedule that it holds."""

    def page(
        self, install_id: InstallId, schedule_id: ScheduleId, *, before: str | None, limit: int
    ) -> RunPage:
        """The history of a schedule, newest first, from before the scheduled time `before`."""

    def times(self, schedule: Schedule, after: str, until: str) -> frozenset[str]:
        """The scheduled times after `after` and up to `until` that the history has."""


class Installs(Protocol):
    """The installs and the versions in the table."""

    def version(self, registry_id: str, version_id: str) -> Version | None:
        """The version; a found one may be kept for the life of the process, since it never changes."""

    def config(self, install_id: InstallId) -> InstallConfig:
        """What the runs of the install are handed."""

    def register(self, install: Install, config: InstallConfig, version: Version, tenant: Tenant) -> None:
        """A new install with its version, on condition that its tenant has not changed."""

    def change(self, before: Install, after: Install, config: InstallConfig, version: Version) -> None:
        """An install with its version, on condition that neither it nor a schedule of it has changed."""

    def replace(self, before: Install, after: Install | None) -> None:
        """Change an install alone; None removes it and its configuration, if no schedule is counted any more."""

    def clear(self, install: Install) -> None:
        """Remove what is left in the install's partition once its schedules are gone: remembered writes.

        On condition that the install has not changed.
        """


class Tenants(Protocol):
    """The tenants in the table."""

    def read(self, tenant_id: str) -> Tenant:
        """The tenant, also one that nobody has heard of."""

    def replace(self, before: Tenant, after: Tenant) -> None:
        """Change a tenant, on condition that no other change of it came between."""

    def installs(self, tenant_id: str, after: InstallId | None, limit: int) -> Sequence[InstallId]:
        """Up to `limit` installs of the tenant in the order of their ids, from behind `after`."""


class ManualRuns(Protocol):
    """The requests to run a schedule now."""

    def read(self, install_id: InstallId, schedule_id: ScheduleId, key: str | None) -> ManualSnapshot:
        """What such a request depends on."""

    def accept(self, request: ManualRun, before: Window, after: Window) -> None:
        """Remember the request by its key, if it has one, on condition that the window is as it was read."""


class Sweeps(Protocol):
    """What the full sweep reads and mends in the table."""

    def state(self) -> SweepState | None:
        """Where the sweep stands; None before the first."""

    def save(self, before: SweepState | None, after: SweepState) -> None:
        """Raises Conflict where another sweep has saved meanwhile."""

    def installs(self, cursor: str | None, limit: int) -> tuple[Sequence[InstallId], str | None]:
        """Up to `limit` installs, and the cursor of the next ones, None at the end; an id is the one behind it.

        Eventually consistent: one that was registered a moment ago may be missing.
        """

    def partition(self, install_id: InstallId) -> Partition:
        """Not of one moment: what looks wrong is to be looked at again before it is mended."""

    def recount(self, seen: Install, count: int) -> None:
        """Set the install's count, on condition that no write came after it was seen."""

    def own_name(self, install_id: InstallId, name: str, owner: ScheduleId | None) -> None:
        """Give the name to its owner if it is free, or with None, free it."""

    def checked(self, schedule: Schedule, until: datetime) -> None:
        """Keep up to when the history was looked at."""
