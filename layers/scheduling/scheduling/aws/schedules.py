"""The schedules in the table."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from pynamodb.connection import Connection

from scheduling.aws.changes import write_change
from scheduling.aws.indexes import SHARDS, PendingIndex
from scheduling.aws.install_rows import Seen, seen_install, unseen
from scheduling.aws.keys import install_key, name_key, schedule_key, write_key
from scheduling.aws.requests import find, translated
from scheduling.aws.row import Row
from scheduling.aws.rows import earlier_write_of, schedule_of
from scheduling.aws.table import InstallRow, NameRow, ScheduleRow, WriteRow
from scheduling.domain.idempotency import EarlierWrite
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Acceptance
from scheduling.domain.schedule import Life, Schedule
from scheduling.operations.snapshots import PendingItem, SchedulePage, Snapshot

_LAST = "SCHEDULE~"


class SchedulesTable:
    """Implements `operations.tables.Schedules`."""

    def __init__(self, connection: Connection, seen: Seen = unseen) -> None:
        self._connection = connection
        self._seen = seen

    def read(
        self,
        install_id: InstallId,
        schedule_id: ScheduleId | None = None,
        *,
        name: str | None = None,
        key: str | None = None,
    ) -> Snapshot:
        """One BatchGetItem."""
        found = find(
            install_key(install_id),
            schedule_key(install_id, schedule_id) if schedule_id else None,
            name_key(install_id, name) if name else None,
            write_key(install_id, key) if key else None,
        )
        install, schedule = found.get(InstallRow), found.get(ScheduleRow)
        owner, write = found.get(NameRow), found.get(WriteRow)
        return Snapshot(
            install=seen_install(install, self._seen),
            schedule=schedule_of(schedule) if schedule else None,
            name_owner=ScheduleId(owner.schedule_id) if owner else None,
            earlier=earlier_write_of(write) if write else None,
        )

    def page(
        self,
        install_id: InstallId,
        *,
        after: ScheduleId | None,
        limit: int | None,
        max_bytes: int | None,
    ) -> SchedulePage:
        """One Query, whose first row is the install; one read more for a further page."""
        with translated():
            if after is None:
                rows = _rows(install_id, "INSTALL", limit)
                first = next(rows, None)
                install = first if isinstance(first, InstallRow) else None
            else:
                rows = _rows(install_id, f"SCHEDULE#{after}!", limit)
                install = find(install_key(install_id)).get(InstallRow)
            visible = (s for s in _schedules(rows) if s.life is Life.ACTIVE)
            schedules = list(_within(visible, limit, max_bytes))
            more = next(visible, None) is not None
        return SchedulePage(
            install=seen_install(install, self._seen),
            schedules=schedules,
            next_after=schedules[-1].id if more else None,
        )

    def all(self, install_id: InstallId) -> Sequence[Schedule]:
        """One Query."""
        with translated():
            return list(_schedules(_rows(install_id, "SCHEDULE#", None)))

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
        """One TransactWriteItems, or a single write where only the schedule's own row changes."""
        write_change(
            self._connection, before, after, accept=accept, release=release, remember=remember, forget=forget
        )

    def pending(self, older_than: datetime, limit: int) -> Iterator[PendingItem]:
        """One Query for each part of the index, in random order lest one part starve the others."""
        return islice(_pending(older_than), limit)


def _rows(install_id: InstallId, first: str, limit: int | None) -> Iterator[Row]:
    page_size = limit + 2 if limit else None
    return iter(
        Row.query(
            install_key(install_id)["hash_key"],
            Row.sk.between(first, _LAST),
            consistent_read=True,
            page_size=page_size,
        )
    )


def _schedules(rows: Iterator[Row]) -> Iterator[Schedule]:
    return (schedule_of(row) for row in rows if isinstance(row, ScheduleRow))


def _within(schedules: Iterator[Schedule], limit: int | None, max_bytes: int | None) -> Iterator[Schedule]:
    size = 0
    for count, schedule in enumerate(schedules, start=1):
        yield schedule
        size += schedule.payload_bytes
        if count == limit or (max_bytes and size >= max_bytes):
            return


def _pending(older_than: datetime) -> Iterator[PendingItem]:
    for shard in random.sample(SHARDS, len(SHARDS)):
        with translated():
            for row in Row.pending_index.query(shard, PendingIndex.since < older_than):
                yield _item(row)


def _item(row: Row) -> PendingItem:
    of, _, owner = row.pk.partition("#")
    kind, _, schedule_id = row.sk.partition("#")
    if of == "TENANT":
        return PendingItem(since=row.pending_since, tenant_id=owner)
    schedule = ScheduleId(schedule_id) if kind == "SCHEDULE" else None
    return PendingItem(since=row.pending_since, install_id=InstallId(owner), schedule_id=schedule)
