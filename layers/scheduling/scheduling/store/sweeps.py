"""What the full sweep reads and mends in the table."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from pynamodb.connection import Connection

from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import Phase, SweepState
from scheduling.store.keys import SWEEP_KEY, install_key, name_key, schedule_key
from scheduling.store.mapping import install_of, schedule_of
from scheduling.store.models import (
    SHARDS,
    InstallRow,
    InstallsIndex,
    NameRow,
    Row,
    ScheduleRow,
    SweepRow,
    shard_of,
)
from scheduling.store.snapshots import Partition
from scheduling.store.transactions import Write, find, translated


class SweepsTable:
    """What the full sweep reads and mends in the table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def state(self) -> SweepState | None:
        """Where the sweep stands; None before the first.

        One BatchGetItem.
        """
        row = find(SWEEP_KEY).get(SweepRow)
        if row is None:
            return None
        return SweepState(due_at=row.due_at, phase=Phase(row.phase) if row.phase else None, cursor=row.cursor)

    def save(self, before: SweepState | None, after: SweepState) -> None:
        """Raises Conflict where another sweep has saved meanwhile.

        One PutItem.
        """
        write = Write(self._connection)
        row = SweepRow(**SWEEP_KEY, due_at=after.due_at, phase=after.phase, cursor=after.cursor)
        if before is None:
            write.put(row, SweepRow.pk.does_not_exist())
        else:
            cursor = SweepRow.cursor == before.cursor if before.cursor else SweepRow.cursor.does_not_exist()
            phase = SweepRow.phase == before.phase.value if before.phase else SweepRow.phase.does_not_exist()
            write.put(row, cursor & phase)
        write.send()

    def installs(self, cursor: str | None, limit: int) -> tuple[Sequence[InstallId], str | None]:
        """Up to `limit` installs, and the cursor of the next ones, None at the end; an id is the one behind it.

        Eventually consistent: one that was registered a moment ago may be missing.

        One Query of the index that has nothing but installs, and one for each part of it that ends.
        """
        with translated():
            found = list(islice(_installs(cursor, limit), limit))
        return found, found[-1] if len(found) == limit else None

    def partition(self, install_id: InstallId) -> Partition:
        """Not of one moment: what looks wrong is to be looked at again before it is mended.

        One Query.
        """
        with translated():
            rows = list(
                Row.query(
                    install_key(install_id)["hash_key"],
                    Row.sk.between("INSTALL", "UNIQUE~"),
                    consistent_read=True,
                )
            )
        installs = [install_of(row) for row in rows if isinstance(row, InstallRow)]
        return Partition(
            install=installs[0] if installs else None,
            schedules=[schedule_of(row) for row in rows if isinstance(row, ScheduleRow)],
            names={
                row.sk.removeprefix("UNIQUE#"): ScheduleId(row.schedule_id)
                for row in rows
                if isinstance(row, NameRow)
            },
        )

    def recount(self, seen: Install, count: int) -> None:
        """Set the install's count, on condition that no write came after it was seen.

        One UpdateItem.
        """
        write = Write(self._connection)
        unchanged = (InstallRow.sequence == seen.sequence) & (
            InstallRow.schedule_count == seen.schedule_count
        )
        write.update(InstallRow(**install_key(seen.id)), [InstallRow.schedule_count.set(count)], unchanged)
        write.send()

    def own_name(self, install_id: InstallId, name: str, owner: ScheduleId | None) -> None:
        """Give the name to its owner if it is free, or with None, free it.

        One PutItem or DeleteItem.
        """
        write = Write(self._connection)
        if owner:
            row = NameRow(**name_key(install_id, name), schedule_id=owner)
            write.put(row, NameRow.pk.does_not_exist())
        else:
            write.delete(NameRow(**name_key(install_id, name)))
        write.send()

    def checked(self, schedule: Schedule, until: datetime) -> None:
        """Keep up to when the history was looked at.

        One UpdateItem.
        """
        write = Write(self._connection)
        row = ScheduleRow(**schedule_key(schedule.install_id, schedule.id))
        same = ScheduleRow.timer_revision == schedule.timer_revision
        write.update(row, [ScheduleRow.checked_until.set(until)], same)
        write.send()


def _installs(after: str | None, page_size: int) -> Iterator[InstallId]:
    """Part by part; a cursor is the install that it is behind."""
    first = SHARDS.index(shard_of(after)) if after else 0
    for shard in SHARDS[first:]:
        behind = InstallsIndex.pk > install_key(after)["hash_key"] if after else None
        for row in Row.installs_index.query(shard, behind, page_size=page_size):
            yield InstallId(row.pk.removeprefix("INSTALL#"))
        after = None
