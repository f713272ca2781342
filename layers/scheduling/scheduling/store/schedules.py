"""The schedules in the table."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from pynamodb.connection import Connection

from scheduling.domain.errors import UnreadableItem
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import WriteReservation
from scheduling.domain.requests.idempotency import IdempotencyRecord
from scheduling.domain.schedule import Schedule
from scheduling.store.keys import (
    SHARDS,
    PendingIndex,
    idempotency_record_key,
    install_key,
    name_owner_key,
    schedule_key,
)
from scheduling.store.mapping import install_from_row
from scheduling.store.models import (
    IdempotencyRow,
    InstallRow,
    NameRow,
    Row,
)
from scheduling.store.pynamodb_internals import query_rows
from scheduling.store.schedule_items.idempotency import idempotency_record_from_row, put_idempotency_record
from scheduling.store.schedule_items.reads import (
    read_items_with_payload,
    schedule_from_items,
    schedule_with_payload,
    schedules_from_rows,
)
from scheduling.store.schedule_items.reservations import update_install_row, write_name_rows
from scheduling.store.schedule_items.writes import write_schedule_items
from scheduling.store.snapshots import (
    PendingItem,
    SchedulePage,
    ScheduleSnapshot,
    payload_bytes,
    unreadable_schedule,
)
from scheduling.store.transactions import Items, TransactWriter, read_items, translate_errors

_LAST_SCHEDULE_SK = "SCHEDULE~"


class ScheduleStore:
    """The schedules in the table, with what a write of one depends on.

    As in all stores, reads are strongly consistent, and each write is one conditional request. Every method raises
    Unavailable when DynamoDB does not respond within its retries, and every write raises Conflict when one of its
    conditions is not met.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read_snapshot(
        self,
        install_id: InstallId,
        schedule_id: ScheduleId | None = None,
        *,
        name: str | None = None,
        idempotency_key: str | None = None,
    ) -> ScheduleSnapshot:
        """Return the install and, by the arguments, a schedule, the owner of a name and an idempotency record.

        The schedule has no payload that is in an item of its own. One BatchGetItem.
        """
        items = read_items(
            install_key(install_id),
            schedule_key(install_id, schedule_id) if schedule_id else None,
            name_owner_key(install_id, name) if name else None,
            idempotency_record_key(install_id, idempotency_key) if idempotency_key else None,
        )
        return _build_snapshot(items, schedule_from_items(items))

    def read_snapshot_with_payload(
        self, install_id: InstallId, schedule_id: ScheduleId, *, name: str | None = None
    ) -> ScheduleSnapshot:
        """Return the install, the schedule with its payload and, by the argument, the owner of a name.

        One BatchGetItem.
        """
        items = read_items_with_payload(
            install_id,
            schedule_id,
            install_key(install_id),
            name_owner_key(install_id, name) if name else None,
        )
        return _build_snapshot(items, schedule_with_payload(items))

    def read_schedule_page(
        self,
        install_id: InstallId,
        *,
        now: datetime,
        after: ScheduleId | None,
        limit: int | None,
        max_bytes: int | None,
    ) -> SchedulePage:
        """Return what exists `now` of the install's schedules, oldest first, up to `limit` and `max_bytes` of payload.

        A page has at least one schedule if there is one.

        One Query, whose first row is the install; one read more after the first page.
        """
        with translate_errors():
            if after is None:
                rows = _query_rows(install_id, "INSTALL", limit)
                first_row = next(rows, None)
                install_row = first_row if isinstance(first_row, InstallRow) else None
            else:
                rows = _query_rows(install_id, f"SCHEDULE#{after}$", limit)
                install_row = read_items(install_key(install_id)).find_item(InstallRow)
            left_out: list[UnreadableItem] = []
            active_schedules = _list_schedules(rows, now, left_out)
            schedules = list(_take_page(active_schedules, limit, max_bytes))
            has_more = next(active_schedules, None) is not None
        return SchedulePage(
            install=install_from_row(install_row) if install_row else None,
            schedules=schedules,
            next_after=schedules[-1].id if has_more else None,
            left_out=left_out,
        )

    def read_all_schedules(self, install_id: InstallId) -> Sequence[Schedule]:
        """Return all schedules of the install, those that are being deleted included.

        One Query.
        """
        with translate_errors():
            return list(schedules_from_rows(_query_rows(install_id, "SCHEDULE#", None)))

    def replace_schedule(
        self,
        before: Schedule | None,
        after: Schedule | None,
        *,
        reserve: WriteReservation | None = None,
        release: WriteReservation | None = None,
        save_record: IdempotencyRecord | None = None,
        delete_record_key: str | None = None,
    ) -> None:
        """Change one schedule from `before` to `after` (None: absent), with its names and the install's count.

        One TransactWriteItems, or a single write where only the schedule's own row changes.

        Args:
            before: The schedule as it was read; the write requires that it has not changed.
            after: The schedule as it is to be.
            reserve: Requires that the install has this generation, room, and a free slot, which is taken.
            release: Requires that the install has this generation, and frees the slot.
            save_record: The idempotency record to save with a reservation.
            delete_record_key: The key of the idempotency record to delete.
        """
        schedule = before or after
        if schedule is None:
            return
        install_id = schedule.install_id
        writer = TransactWriter(self._connection)
        update_install_row(writer, install_id, _quota_count(after) - _quota_count(before), reserve, release)
        write_schedule_items(writer, before, after)
        write_name_rows(writer, schedule, _reserved_names(before), _reserved_names(after))
        if save_record and reserve:
            put_idempotency_record(writer, install_id, save_record, reserve)
        if delete_record_key:
            writer.delete_row(IdempotencyRow(**idempotency_record_key(install_id, delete_record_key)))
        writer.commit()

    def read_pending_items(self, older_than: datetime, limit: int) -> Iterator[PendingItem]:
        """Yield what has been pending since before `older_than`: schedules, installs and tenants.

        One Query for each part of the index, in random order so that no part starves the others.
        """
        return islice(_query_pending_items(older_than), limit)


def _query_rows(install_id: InstallId, first_sk: str, limit: int | None) -> Iterator[Row]:
    page_size = (
        1 + 2 * (limit + 1) if limit else None
    )  # the install, and one schedule more, with their payloads
    return iter(
        query_rows(
            Row,
            install_key(install_id)["hash_key"],
            Row.sk.between(first_sk, _LAST_SCHEDULE_SK),
            consistent_read=True,
            page_size=page_size,
        )
    )


def _build_snapshot(items: Items, schedule: Schedule | None) -> ScheduleSnapshot:
    install_row, name_row = items.find_item(InstallRow), items.find_item(NameRow)
    idempotency_row = items.find_item(IdempotencyRow)
    return ScheduleSnapshot(
        install=install_from_row(install_row) if install_row else None,
        schedule=schedule,
        name_owner=ScheduleId(name_row.schedule_id) if name_row else None,
        idempotency_record=idempotency_record_from_row(idempotency_row) if idempotency_row else None,
    )


def _list_schedules(rows: Iterator[Row], now: datetime, left_out: list[UnreadableItem]) -> Iterator[Schedule]:
    for schedule in schedules_from_rows(rows):
        if schedule.incomplete:
            left_out.append(unreadable_schedule(schedule))
        elif schedule.exists_at(now):
            yield schedule


def _take_page(schedules: Iterator[Schedule], limit: int | None, max_bytes: int | None) -> Iterator[Schedule]:
    size = 0
    for count, schedule in enumerate(schedules, start=1):
        yield schedule
        size += payload_bytes(schedule)
        if count == limit or (max_bytes and size >= max_bytes):
            return


def _query_pending_items(older_than: datetime) -> Iterator[PendingItem]:
    for shard in random.sample(SHARDS, len(SHARDS)):
        with translate_errors():
            older = PendingIndex.since < older_than
            for row in query_rows(Row, shard, older, index_name=PendingIndex.Meta.index_name):
                yield _pending_item_from_row(row)


def _pending_item_from_row(row: Row) -> PendingItem:
    partition_kind, _, owner_id = row.pk.partition("#")
    sort_kind, _, schedule_id = row.sk.partition("#")
    if partition_kind == "TENANT":
        return PendingItem(pending_since=row.pending_since, tenant_id=owner_id)
    pending_schedule_id = ScheduleId(schedule_id) if sort_kind == "SCHEDULE" else None
    return PendingItem(
        pending_since=row.pending_since, install_id=InstallId(owner_id), schedule_id=pending_schedule_id
    )


def _reserved_names(schedule: Schedule | None) -> frozenset[str]:
    return schedule.reserved_names if schedule else frozenset()


def _quota_count(schedule: Schedule | None) -> int:
    return int(schedule is not None and schedule.counts_toward_quota)
