"""The sweep's finds about timers: among the changes of the install, and in the index of what is unhealthy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduling.domain.audit.finds import ScheduleFind, TimerFind, change_from_find, find_from_change
from scheduling.domain.ids import ScheduleId
from scheduling.store.keys import HARMLESS_FINDS, PREVENTING_FINDS, Key, UnhealthyIndex, schedule_key
from scheduling.store.mapping import stopped_values
from scheduling.store.models import ChangeRow, Row
from scheduling.store.pynamodb_internals import query_items
from scheduling.store.schedule_items.changes import change_from_row, create_change_row
from scheduling.store.schedule_items.unhealthy import read_pairs
from scheduling.store.transactions import MAX_READ_KEYS, TransactWriter, read_items, translate_errors


@dataclass(frozen=True, slots=True)
class FindPage:
    """The newest find of each schedule, newest first; `has_more` says that there are older finds."""

    finds: Sequence[ScheduleFind]
    has_more: bool


def put_find(writer: TransactWriter, find: TimerFind) -> None:
    """Add the step that keeps the find, for as long as a change; the same find again is the same row."""
    change = change_from_find(find)
    part = PREVENTING_FINDS if find.prevents_fires else HARMLESS_FINDS
    writer.put_row(create_change_row(change, **stopped_values(part, change.time)))


def read_find_page(*, only_preventing: bool, since: datetime | None, limit: int) -> FindPage:
    """Return the schedules of the newest finds, up to `limit` of each part of the index, that still exist.

    Which they are is eventually consistent, what they are is not.

    One Query for each part, and for each hundred finds a BatchGetItem of them and two of their schedules.
    """
    parts = [PREVENTING_FINDS] if only_preventing else [PREVENTING_FINDS, HARMLESS_FINDS]
    keys: list[Key] = []
    has_more = False
    for part in parts:
        part_keys = _query_keys(part, since, limit + 1)
        keys += part_keys[:limit]
        has_more |= len(part_keys) > limit
    finds: dict[ScheduleId, TimerFind] = {}
    for find in sorted(_read_finds(keys), key=lambda each: each.time, reverse=True):
        finds.setdefault(find.schedule_id, find)
    pairs = read_pairs([schedule_key(each.install_id, each.schedule_id) for each in finds.values()])
    page = [ScheduleFind(finds[schedule.id], install, schedule) for install, schedule in pairs]
    return FindPage(page[:limit], has_more or len(page) > limit)


def _query_keys(part: str, since: datetime | None, limit: int) -> list[Key]:
    with translate_errors():
        items = query_items(
            Row,
            part,
            UnhealthyIndex.since >= since if since else None,
            limit=limit,
            index_name=UnhealthyIndex.Meta.index_name,
            scan_index_forward=False,
        )
        return [Key(hash_key=item["pk"]["S"], range_key=item["sk"]["S"]) for item in items]


def _read_finds(keys: Sequence[Key]) -> list[TimerFind]:
    finds: list[TimerFind | None] = []
    for start in range(0, len(keys), MAX_READ_KEYS):
        rows = read_items(*keys[start : start + MAX_READ_KEYS]).find_items(ChangeRow)
        finds += [find_from_change(change_from_row(row)) for row in rows if not row.unreadable_attributes]
    return [find for find in finds if find]
