"""What the full sweep reads and mends in the table."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pynamodb.connection import Connection

from scheduling.aws.keys import SWEEP_KEY, install_key, name_key, schedule_key
from scheduling.aws.requests import Write, find, translated
from scheduling.aws.rows import install_of, schedule_of
from scheduling.aws.table import InstallRow, NameRow, Row, ScheduleRow, SweepRow
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import Phase, SweepState
from scheduling.operations.snapshots import Partition

_PAGE = 500


class SweepsTable:
    """Implements `operations.ports.Sweeps`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def state(self) -> SweepState | None:
        """One BatchGetItem."""
        row = find(SWEEP_KEY).get(SweepRow)
        if row is None:
            return None
        return SweepState(due_at=row.due_at, phase=Phase(row.phase) if row.phase else None, cursor=row.cursor)

    def save(self, before: SweepState | None, after: SweepState) -> None:
        """One PutItem."""
        write = Write(self._connection)
        row = SweepRow(**SWEEP_KEY, due_at=after.due_at, phase=after.phase, cursor=after.cursor)
        if before is None:
            write.put(row, SweepRow.pk.does_not_exist())
        else:
            cursor = SweepRow.cursor == before.cursor if before.cursor else SweepRow.cursor.does_not_exist()
            phase = SweepRow.phase == before.phase.value if before.phase else SweepRow.phase.does_not_exist()
            write.put(row, cursor & phase)
        write.send()

    def installs(self, cursor: str | None, limit: int = _PAGE) -> tuple[Sequence[InstallId], str | None]:
        """One page of a Scan."""
        start: Mapping[str, Any] | None = json.loads(cursor) if cursor else None
        with translated():
            page = InstallRow.scan(
                attributes_to_get=["pk", "sk", "type"],
                page_size=_PAGE,
                limit=limit,
                last_evaluated_key=dict(start) if start else None,
            )
            found = [InstallId(row.pk.removeprefix("INSTALL#")) for row in page]
        last = page.last_evaluated_key
        return found, json.dumps(last) if last else None

    def behind(self, install_id: InstallId) -> str:
        """Without a request: a scan goes on behind any key, and hands out those of rows of any kind itself."""
        key = install_key(install_id)
        return json.dumps({"pk": {"S": key["hash_key"]}, "sk": {"S": key["range_key"]}})

    def partition(self, install_id: InstallId) -> Partition:
        """One Query."""
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
        """One UpdateItem."""
        write = Write(self._connection)
        unchanged = (InstallRow.sequence == seen.sequence) & (
            InstallRow.schedule_count == seen.schedule_count
        )
        write.update(InstallRow(**install_key(seen.id)), [InstallRow.schedule_count.set(count)], unchanged)
        write.send()

    def own_name(self, install_id: InstallId, name: str, owner: ScheduleId | None) -> None:
        """One PutItem or DeleteItem."""
        write = Write(self._connection)
        if owner:
            row = NameRow(**name_key(install_id, name), schedule_id=owner)
            write.put(row, NameRow.pk.does_not_exist())
        else:
            write.delete(NameRow(**name_key(install_id, name)))
        write.send()

    def checked(self, schedule: Schedule, until: datetime) -> None:
        """One UpdateItem."""
        write = Write(self._connection)
        row = ScheduleRow(**schedule_key(schedule.install_id, schedule.id))
        same = ScheduleRow.timer_revision == schedule.timer_revision
        write.update(row, [ScheduleRow.checked_until.set(until)], same)
        write.send()
