"""The newest backfill of each schedule in the table, and the rows of its occurrences."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from pynamodb.attributes import UnicodeAttribute, UnicodeSetAttribute, UTCDateTimeAttribute

from scheduling.domain.deliveries.backfill import Backfill, Selection
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.runs import Run
from scheduling.domain.schedule import Schedule
from scheduling.store.keys import backfill_key, install_key, run_key, schedule_key
from scheduling.store.mapping import install_from_row, run_from_row, run_values
from scheduling.store.models import EnumAttribute, InstallRow, Row, RunRow
from scheduling.store.schedule_items.reads import schedule_from_items
from scheduling.store.transactions import MAX_READ_KEYS, read_items, translate_errors


class BackfillRow(Row, discriminator="backfill"):
    """pk INSTALL#<install>#SCHEDULE#<schedule>, sk BACKFILL: one at a time, and the newest for the audit."""

    tenant_id = UnicodeAttribute(attr_name="tenantId")
    token = UnicodeAttribute()
    first = UTCDateTimeAttribute(attr_name="from")
    last = UTCDateTimeAttribute(attr_name="to")
    which = EnumAttribute(Selection)
    scheduled_times = UnicodeSetAttribute(attr_name="scheduledTimes")
    requested_at = UTCDateTimeAttribute(attr_name="requestedAt")
    requested_by = UnicodeAttribute(attr_name="requestedBy")
    sending_until = UTCDateTimeAttribute(null=True, attr_name="sendingUntil")


@dataclass(frozen=True, slots=True)
class BackfillSnapshot:
    """What a backfill depends on; None is absent."""

    install: Install | None
    schedule: Schedule | None
    newest: Backfill | None


class BackfillStore:
    """The backfills; their rows are deleted with time, as those of the history."""

    def __init__(self, retention: timedelta) -> None:
        self._retention = retention

    def read_backfill_snapshot(self, install_id: InstallId, schedule_id: ScheduleId) -> BackfillSnapshot:
        """Return what a backfill depends on, but for the history.

        One BatchGetItem.
        """
        ids = install_id, schedule_id
        items = read_items(install_key(install_id), schedule_key(*ids), backfill_key(*ids))
        install_row, backfill_row = items.find_item(InstallRow), items.find_item(BackfillRow)
        return BackfillSnapshot(
            install=install_from_row(install_row) if install_row else None,
            schedule=schedule_from_items(items),
            newest=backfill_from_row(backfill_row) if backfill_row else None,
        )

    def read_runs(
        self, install_id: InstallId, schedule_id: ScheduleId, scheduled_times: Iterable[str]
    ) -> Mapping[str, Run]:
        """Return the runs of those of the times that the history has.

        One BatchGetItem for each hundred.
        """
        runs: dict[str, Run] = {}
        keys = [run_key(install_id, schedule_id, time) for time in scheduled_times]
        for start in range(0, len(keys), MAX_READ_KEYS):
            items = read_items(*keys[start : start + MAX_READ_KEYS])
            runs |= {run.scheduled_time: run for run in map(run_from_row, items.find_items(RunRow))}
        return runs

    def save_backfill(self, backfill: Backfill, before: Backfill | None) -> None:
        """Save the newest backfill, on condition that the row is as it was read.

        One PutItem.
        """
        row = BackfillRow(
            **backfill_key(backfill.install_id, backfill.schedule_id),
            tenant_id=backfill.tenant_id,
            token=backfill.token,
            first=backfill.first,
            last=backfill.last,
            which=backfill.which.value,
            scheduled_times=set(backfill.scheduled_times),
            requested_at=backfill.requested_at,
            requested_by=backfill.requested_by,
            sending_until=backfill.sending_until,
            expires_at=backfill.expires_at,
        )
        unchanged = BackfillRow.pk.does_not_exist()
        if before:
            sent = BackfillRow.sending_until.does_not_exist()
            sending = BackfillRow.sending_until == before.sending_until if before.sending_until else sent
            unchanged |= (BackfillRow.token == before.token) & sending
        with translate_errors():
            row.save(unchanged)

    def put_armed_run(self, schedule: Schedule, run: Run | None, armed_run: Run) -> None:
        """Record that the occurrence waits for its message, on condition that its row is as it was read.

        One PutItem.
        """
        unchanged = RunRow.pk.does_not_exist()
        if run:
            unchanged = (RunRow.lease_token == run.lease_token) & (RunRow.status == run.status.value)
        row = RunRow(
            **run_key(schedule.install_id, schedule.id, armed_run.scheduled_time),
            tenant_id=schedule.tenant_id or None,
            **run_values(armed_run),
            expires_at=armed_run.started_at + self._retention,
        )
        with translate_errors():
            row.save(unchanged)


def backfill_from_row(row: BackfillRow) -> Backfill:
    """Return the backfill of the row."""
    install_id, _, schedule_id = row.pk.removeprefix("INSTALL#").partition("#SCHEDULE#")
    return Backfill(
        tenant_id=row.tenant_id,
        install_id=InstallId(install_id),
        schedule_id=ScheduleId(schedule_id),
        token=row.token,
        first=row.first,
        last=row.last,
        which=Selection(row.which),
        scheduled_times=sorted(row.scheduled_times),
        requested_at=row.requested_at,
        requested_by=row.requested_by,
        sending_until=row.sending_until,
        expires_at=row.expires_at,
    )
