"""A schedule from its items: its row, and that of its payload where the payload is large.

A read of both is not of one moment. The row names its payload by a digest, so a pair that a write has torn apart is
recognized and read again; what is still wrong then is a fault of the table, and makes the schedule unreadable.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.schedule import Schedule
from scheduling.store.keys import PAYLOAD_SUFFIX, Key, payload_key, schedule_key
from scheduling.store.mapping import schedule_from_row
from scheduling.store.models import PayloadRow, Row, ScheduleRow
from scheduling.store.pynamodb_internals import row_values
from scheduling.store.transactions import Items, read_items

_MAX_READS = 3
"""Reads of a pair: more than one in a row is torn only if the payload changes between each two."""


def read_items_with_payload(install_id: InstallId, schedule_id: ScheduleId, *keys: Key | None) -> Items:
    """Return the rows of the schedule, of its payload and with the keys, by one strongly consistent read.

    Raises:
        Unavailable: DynamoDB does not respond.
    """
    ids = install_id, schedule_id
    items = read_items(*keys, schedule_key(*ids), payload_key(*ids))
    for _ in range(1, _MAX_READS):
        if not _is_torn(items.find_item(ScheduleRow), items.find_item(PayloadRow)):
            break
        items = read_items(*keys, schedule_key(*ids), payload_key(*ids))
    return items


def schedule_from_items(items: Items) -> Schedule | None:
    """Return the schedule, without a payload that is in an item of its own, or None."""
    row = items.find_item(ScheduleRow)
    return schedule_from_row(row) if row else None


def schedule_with_payload(items: Items) -> Schedule | None:
    """Return the schedule with its payload, or None."""
    row = items.find_item(ScheduleRow)
    return _join_rows(row, items.find_item(PayloadRow)) if row else None


def schedules_from_rows(rows: Iterable[Row]) -> Iterator[Schedule]:
    """Yield the schedules with their payloads from rows in key order; one read more for each pair that is torn."""
    schedule_row: ScheduleRow | None = None
    for row in rows:
        payload_row = row if isinstance(row, PayloadRow) else None
        if schedule_row:
            yield from _pair_rows(schedule_row, payload_row)
            schedule_row = None
        if isinstance(row, ScheduleRow):
            if _payload_digest(row):
                schedule_row = row
            else:
                yield schedule_from_row(row)
    if schedule_row:
        yield from _pair_rows(schedule_row, None)


def find_orphaned_payloads(rows: Iterable[Row]) -> list[ScheduleId]:
    """Return the schedules that payloads are stored for although no row names one."""
    referring = {row.sk for row in rows if isinstance(row, ScheduleRow) and row.payload_digest}
    keys = [row.sk.removesuffix(PAYLOAD_SUFFIX) for row in rows if isinstance(row, PayloadRow)]
    return [ScheduleId(key.removeprefix("SCHEDULE#")) for key in keys if key not in referring]


def _pair_rows(row: ScheduleRow, payload_row: PayloadRow | None) -> Iterator[Schedule]:
    """Yield the schedule, or nothing if it is gone when it is read again."""
    if payload_row and payload_row.sk != f"{row.sk}{PAYLOAD_SUFFIX}":
        payload_row = None
    if not _is_torn(row, payload_row):
        yield _join_rows(row, payload_row)
        return
    ids = InstallId(row.pk.removeprefix("INSTALL#")), ScheduleId(row.sk.removeprefix("SCHEDULE#"))
    current = schedule_with_payload(read_items_with_payload(*ids))
    if current:
        yield current


def _payload_digest(row: ScheduleRow) -> str | None:
    """Return the digest of the payload's item; a payload in the row itself is the newer one."""
    values = row_values(row)
    return values.get("payload_digest") if "payload" not in values else None


def _is_torn(row: ScheduleRow | None, payload_row: PayloadRow | None) -> bool:
    digest = _payload_digest(row) if row else None
    return digest is not None and (payload_row is None or row_values(payload_row).get("digest") != digest)


def _join_rows(row: ScheduleRow, payload_row: PayloadRow | None) -> Schedule:
    schedule = schedule_from_row(row)
    if schedule.payload_digest is None:
        return schedule
    payload = row_values(payload_row).get("payload") if payload_row else None
    if payload is None or _is_torn(row, payload_row):
        problem = _describe_payload_problem(payload_row)
        return replace(schedule, unreadable=schedule.unreadable or problem)
    return replace(schedule, definition=replace(schedule.definition, payload=payload))


def _describe_payload_problem(payload_row: PayloadRow | None) -> str:
    if payload_row is None:
        return "payload is missing"
    if "payload" in row_values(payload_row):
        return "payload is not the schedule's"
    return f"payload {payload_row.unreadable_attributes.get('payload', 'is missing')}"
