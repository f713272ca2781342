"""The position of the full sweep, and what it reads and repairs in the table."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from pynamodb.connection import Connection

from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import SweepState
from scheduling.store.keys import (
    SHARDS,
    SWEEP_KEY,
    InstallsIndex,
    index_shard,
    install_key,
    name_owner_key,
    payload_key,
    schedule_key,
)
from scheduling.store.mapping import install_from_row
from scheduling.store.models import (
    InstallRow,
    NameRow,
    PayloadRow,
    Row,
    ScheduleRow,
    SweepRow,
)
from scheduling.store.pynamodb_internals import query_rows, row_values
from scheduling.store.schedule_items.reads import find_orphaned_payloads, schedules_from_rows
from scheduling.store.schedule_items.writes import write_schedule_items
from scheduling.store.snapshots import IndexRepair, InstallPartition
from scheduling.store.transactions import TransactWriter, read_items, translate_errors
from scheduling.store.unreadable import DEFAULTS, find_row_problem, install_unchanged

if TYPE_CHECKING:
    from scheduling.domain.audit.finds import TimerFind


class SweepStore:
    """The position of the full sweep, and what it reads and repairs in the table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read_sweep_state(self) -> SweepState | None:
        """Return the position of the sweep; None before the first one.

        One BatchGetItem.
        """
        row = read_items(SWEEP_KEY).find_item(SweepRow)
        if row is None:
            return None
        if unreadable := find_row_problem(row):
            return SweepState(**DEFAULTS[SweepRow], unreadable=unreadable)
        return SweepState(
            next_sweep_at=row.next_sweep_at,
            phase=row_values(row).get("phase"),
            cursor=row.cursor,
            started_at=row.started_at,
            repairs=row.repairs or {},
        )

    def save_sweep_state(self, before: SweepState | None, after: SweepState) -> None:
        """Save the position of the sweep.

        One PutItem.

        Raises:
            Conflict: Another sweep has saved its position meanwhile.
        """
        writer = TransactWriter(self._connection)
        row = SweepRow(
            **SWEEP_KEY,
            next_sweep_at=after.next_sweep_at,
            phase=after.phase,
            cursor=after.cursor,
            started_at=after.started_at,
            repairs=dict(after.repairs) or None,
        )
        if before is None:
            writer.put_row(row, SweepRow.pk.does_not_exist())
        elif before.unreadable:
            writer.put_row(row)
        else:
            cursor_unchanged = (
                SweepRow.cursor == before.cursor if before.cursor else SweepRow.cursor.does_not_exist()
            )
            phase_unchanged = (
                SweepRow.phase == before.phase.value if before.phase else SweepRow.phase.does_not_exist()
            )
            start_unchanged = (
                SweepRow.started_at == before.started_at
                if before.started_at
                else SweepRow.started_at.does_not_exist()
            )
            writer.put_row(row, cursor_unchanged & phase_unchanged & start_unchanged)
        writer.commit()

    def read_install_ids(self, cursor: str | None, limit: int) -> tuple[Sequence[InstallId], str | None]:
        """Return up to `limit` installs, and the cursor of the next ones, None at the end; each id is a cursor.

        Eventually consistent: an install that was registered a moment ago may be missing.

        One Query of the index of installs, and one more for each part of it that ends.
        """
        with translate_errors():
            install_ids = list(islice(_query_install_ids(cursor, limit), limit))
        return install_ids, install_ids[-1] if len(install_ids) == limit else None

    def read_partition(self, install_id: InstallId) -> InstallPartition:
        """Return the partition, not all of the same moment: read again what looks wrong before repairing it.

        One Query.
        """
        from scheduling.store.schedule_items.index_repairs import (
            find_index_repairs,  # the sweep alone needs it
        )

        with translate_errors():
            rows = list(
                query_rows(
                    Row,
                    install_key(install_id)["hash_key"],
                    Row.sk.between("INSTALL", "UNIQUE~"),
                    consistent_read=True,
                )
            )
            schedules = list(schedules_from_rows(rows))
        installs = [install_from_row(row) for row in rows if isinstance(row, InstallRow)]
        return InstallPartition(
            install=installs[0] if installs else None,
            schedules=schedules,
            name_owners={
                row.sk.removeprefix("UNIQUE#"): ScheduleId(row.schedule_id)
                for row in rows
                if isinstance(row, NameRow)
            },
            orphaned_payloads=find_orphaned_payloads(rows),
            index_repairs=list(find_index_repairs(rows)),
        )

    def save_schedule_count(self, install: Install, count: int) -> None:
        """Set the install's count, on condition that nothing was written since the install was read.

        One UpdateItem.
        """
        writer = TransactWriter(self._connection)
        unchanged = install_unchanged(install)
        if not install.unreadable:
            unchanged &= (InstallRow.write_sequence == install.write_sequence) & (
                InstallRow.schedule_count == install.schedule_count
            )
        writer.update_row(
            InstallRow(**install_key(install.id)), [InstallRow.schedule_count.set(count)], unchanged
        )
        writer.commit()

    def read_tenant_repair(self, tenant_id: str) -> IndexRepair | None:
        """Return what the index of what is unhealthy lacks of a paused tenant, if it does.

        One BatchGetItem.
        """
        from scheduling.store.schedule_items.index_repairs import find_tenant_repair

        return find_tenant_repair(tenant_id)

    def repair_index(self, repair: IndexRepair, now: datetime) -> None:
        """Put the row into its part of the index, or remove it, on condition that the row has not changed.

        One UpdateItem.
        """
        from scheduling.store.schedule_items.index_repairs import add_index_repair

        writer = TransactWriter(self._connection)
        add_index_repair(writer, repair, now)
        writer.commit()

    def add_name_owner(self, install_id: InstallId, name: str, owner: ScheduleId) -> None:
        """Assign the name to its owner, on condition that it is free.

        One PutItem.
        """
        writer = TransactWriter(self._connection)
        row = NameRow(**name_owner_key(install_id, name), schedule_id=owner)
        writer.put_row(row, NameRow.pk.does_not_exist())
        writer.commit()

    def delete_name_owner(self, install_id: InstallId, name: str, owner: ScheduleId) -> None:
        """Free the name, on condition that it is still the owner's.

        One DeleteItem.
        """
        writer = TransactWriter(self._connection)
        writer.delete_row(NameRow(**name_owner_key(install_id, name)), NameRow.schedule_id == owner)
        writer.commit()

    def save_find(self, before: Schedule, after: Schedule, find: "TimerFind | None") -> None:
        """Mark the schedule as pending, as `after`, on condition that it is `before`; keep the find with it.

        One TransactWriteItems; without a find, one UpdateItem.
        """
        # Imported here because the sweep alone needs it, and every cold start would pay for the import.
        from scheduling.store.schedule_items.finds import put_find

        writer = TransactWriter(self._connection)
        write_schedule_items(writer, before, after)
        if find:
            put_find(writer, find)
        writer.commit()

    def save_tenant(self, schedule: Schedule, tenant_id: str) -> None:
        """Set the tenant of the schedule, on condition that the schedule still exists.

        One UpdateItem.
        """
        writer = TransactWriter(self._connection)
        row = ScheduleRow(**schedule_key(schedule.install_id, schedule.id))
        writer.update_row(row, [ScheduleRow.tenant_id.set(tenant_id)], ScheduleRow.pk.exists())
        writer.commit()

    def delete_orphaned_payload(self, install_id: InstallId, schedule_id: ScheduleId) -> None:
        """Delete the item of a payload, on condition that no row names one.

        One TransactWriteItems.
        """
        writer = TransactWriter(self._connection)
        ids = install_id, schedule_id
        writer.check_row(ScheduleRow(**schedule_key(*ids)), ScheduleRow.payload_digest.does_not_exist())
        writer.delete_row(PayloadRow(**payload_key(*ids)))
        writer.commit()

    def save_checked_until(self, schedule: Schedule, until: datetime) -> None:
        """Save up to when the history is checked.

        One UpdateItem.
        """
        writer = TransactWriter(self._connection)
        row = ScheduleRow(**schedule_key(schedule.install_id, schedule.id))
        timer_unchanged = ScheduleRow.timer_revision == schedule.timer_revision
        writer.update_row(row, [ScheduleRow.checked_until.set(until)], timer_unchanged)
        writer.commit()


def _query_install_ids(after: str | None, page_size: int) -> Iterator[InstallId]:
    """Yield the installs, part by part of the index, beginning after the install `after`."""
    first_shard = SHARDS.index(index_shard(after)) if after else 0
    for shard in SHARDS[first_shard:]:
        after_condition = InstallsIndex.pk > install_key(after)["hash_key"] if after else None
        for row in query_rows(
            Row, shard, after_condition, index_name=InstallsIndex.Meta.index_name, page_size=page_size
        ):
            yield InstallId(row.pk.removeprefix("INSTALL#"))
        after = None
