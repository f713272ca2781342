"""The schedules in the table."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import reduce
from itertools import islice
from operator import and_

from pynamodb.connection import Connection
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Acceptance
from scheduling.domain.schedule import KEY_LIFETIME, EarlierWrite, Life, Schedule
from scheduling.domain.window import WINDOW
from scheduling.store.keys import install_key, name_key, schedule_key, write_key
from scheduling.store.mapping import (
    Seen,
    changes,
    earlier_write_of,
    remembered_values,
    schedule_of,
    schedule_values,
    seen_install,
    to_millis,
    unseen,
)
from scheduling.store.models import SHARDS, InstallRow, NameRow, PendingIndex, Row, ScheduleRow, WriteRow
from scheduling.store.snapshots import PendingItem, SchedulePage, Snapshot
from scheduling.store.transactions import Write, find, translated

_LAST = "SCHEDULE~"


class SchedulesTable:
    """The schedules in the table, with what a write of one depends on.

    Here as in the other parts of the table: reads are strongly consistent, and each write is one conditional
    request. Every method raises Unavailable when DynamoDB does not answer within its retries, and every write
    raises Conflict when a condition of it did not hold.
    """

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
        """The install, and with it the schedule, the owner of the name and the write of the key, as asked for.

        One BatchGetItem.
        """
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
        """The schedules that the install's owner has, oldest first, up to `limit` and `max_bytes` of payload.

        At least one, where there is one.

        One Query, whose first row is the install; one read more for a further page.
        """
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
        """Every row of the install, those on their way out included.

        One Query.
        """
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
        """One schedule from `before` to `after` (None: absent), with its names and the install's count.

        With `accept`, on condition that the install is of that generation, has room, and the slot is free;
        with `release`, the slot is given back, on condition of the generation. `remember` and `forget` keep
        and drop an idempotency key.

        One TransactWriteItems, or a single write where only the schedule's own row changes.
        """
        write_change(
            self._connection, before, after, accept=accept, release=release, remember=remember, forget=forget
        )

    def pending(self, older_than: datetime, limit: int) -> Iterator[PendingItem]:
        """What has been pending since before `older_than`, installs included.

        One Query for each part of the index, in random order lest one part starve the others.
        """
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


def write_change(
    connection: Connection,
    before: Schedule | None,
    after: Schedule | None,
    *,
    accept: Acceptance | None,
    release: Acceptance | None,
    remember: EarlierWrite | None,
    forget: str | None,
) -> None:
    """See `operations.tables.Schedules.replace`."""
    subject = before or after
    if subject is None:
        return
    install_id = subject.install_id
    write = Write(connection)
    _write_install(write, install_id, _counted(after) - _counted(before), accept, release)
    _write_row(write, before, after)
    for name in _names(after) - _names(before):
        taken = NameRow(**name_key(install_id, name), schedule_id=subject.id)
        write.put(taken, NameRow.pk.does_not_exist())
    for name in _names(before) - _names(after):
        write.delete(NameRow(**name_key(install_id, name)))
    if remember and accept:
        _write_key(write, install_id, remember, accept)
    if forget:
        write.delete(WriteRow(**write_key(install_id, forget)))
    write.send()


def _write_key(write: Write, install_id: InstallId, remember: EarlierWrite, accept: Acceptance) -> None:
    row = WriteRow(
        **write_key(install_id, remember.key.value),
        **remembered_values(remember),
        expires_at=accept.now + KEY_LIFETIME,
    )
    write.put(row, WriteRow.pk.does_not_exist() | (WriteRow.expires_at <= accept.now))


def _write_install(
    write: Write,
    install_id: InstallId,
    growth: int,
    accept: Acceptance | None,
    release: Acceptance | None,
) -> None:
    conditions: list[Condition] = [InstallRow.pk.exists()]
    actions: list[Action] = []
    if growth:
        actions.append(InstallRow.schedule_count.add(growth))
    if accept:
        slot = InstallRow.writes[str(accept.slot)]
        actions += [slot.set(to_millis(accept.now)), InstallRow.sequence.add(1)]
        free = slot.does_not_exist() | (slot <= to_millis(accept.now - WINDOW))
        conditions += [InstallRow.generation == accept.generation, free]
        if growth > 0:
            conditions.append(InstallRow.schedule_count < accept.max_schedules)
    if release:
        actions += [InstallRow.writes[str(release.slot)].remove(), InstallRow.sequence.add(1)]
        conditions.append(InstallRow.generation == release.generation)
    if actions:
        write.update(InstallRow(**install_key(install_id)), actions, reduce(and_, conditions))


def _write_row(write: Write, before: Schedule | None, after: Schedule | None) -> None:
    if before is None:
        if after:
            key = schedule_key(after.install_id, after.id)
            write.put(ScheduleRow(**key, **schedule_values(after)), ScheduleRow.pk.does_not_exist())
        return
    row = ScheduleRow(**schedule_key(before.install_id, before.id))
    as_read = (ScheduleRow.change_token == before.change_token) & (
        ScheduleRow.pending_since.exists() if before.pending else ScheduleRow.pending_since.does_not_exist()
    )
    if after:
        write.update(row, changes(ScheduleRow, schedule_values(before), schedule_values(after)), as_read)
    else:
        write.delete(row, as_read)


def _names(schedule: Schedule | None) -> frozenset[str]:
    return schedule.names if schedule else frozenset()


def _counted(schedule: Schedule | None) -> int:
    return int(schedule is not None and schedule.counted)
