"""The schedules that fail or wait, over all installs: what an operator reads, and no function (decision 047)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Any

from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.store.keys import SHARDS, Key, UnhealthyIndex
from scheduling.store.mapping import install_from_row, schedule_from_row
from scheduling.store.models import InstallRow, Row, ScheduleRow
from scheduling.store.pynamodb_internals import query_items
from scheduling.store.transactions import read_items, translate_errors

_SCHEDULES_OF_READ = 50
"""Each is read with its install, and one BatchGetItem reads 100 rows."""


@dataclass(frozen=True, slots=True)
class UnhealthySchedules:
    """Schedules with their installs, those first that are unhealthy the longest."""

    schedules: Sequence[tuple[Install, Schedule]]
    has_more: bool


def read_unhealthy_schedules(limit: int) -> UnhealthySchedules:
    """Return up to `limit` schedules that fail or wait, without the payloads that are in items of their own.

    Which they are is eventually consistent, what they are is not.

    One Query for each part of the index, and one BatchGetItem for each fifty.
    """
    with translate_errors():
        parts = [list(_query_part(shard, limit + 1)) for shard in SHARDS]
        items = list(islice(merge(*parts, key=_sort_key), limit + 1))
    keys = [Key(hash_key=item["pk"]["S"], range_key=item["sk"]["S"]) for item in items[:limit]]
    return UnhealthySchedules(read_pairs(keys), has_more=len(items) > limit)


def read_stopped(part: str, limit: int) -> Iterator[tuple[str, str]]:
    """Yield up to `limit` partition keys of a part with other than schedules, with the time since when.

    One Query.
    """
    with translate_errors():
        for item in _query_part(part, limit):
            yield item["pk"]["S"], item["unhealthySince"]["S"]


def _query_part(shard: str, limit: int) -> Iterator[Mapping[str, Any]]:
    return query_items(Row, shard, None, index_name=UnhealthyIndex.Meta.index_name, limit=limit)


def _sort_key(item: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(item[name]["S"] for name in ("unhealthySince", "pk", "sk"))


def read_pairs(schedule_keys: Sequence[Key]) -> Sequence[tuple[Install, Schedule]]:
    """Return those of the schedules that still exist, with their installs and in the order of the keys.

    One BatchGetItem for each fifty.
    """
    pairs: list[tuple[Install, Schedule]] = []
    for start in range(0, len(schedule_keys), _SCHEDULES_OF_READ):
        pairs += _read_some_pairs(schedule_keys[start : start + _SCHEDULES_OF_READ])
    return pairs


def _read_some_pairs(schedule_keys: Sequence[Key]) -> Iterator[tuple[Install, Schedule]]:
    install_keys = {
        key["hash_key"]: Key(hash_key=key["hash_key"], range_key="INSTALL") for key in schedule_keys
    }
    items_read = read_items(*install_keys.values(), *schedule_keys)
    installs = {row.pk: install_from_row(row) for row in items_read.find_items(InstallRow)}
    rows = {(row.pk, row.sk): row for row in items_read.find_items(ScheduleRow)}
    for key in schedule_keys:
        install, row = installs.get(key["hash_key"]), rows.get((key["hash_key"], key["range_key"]))
        if install and row:
            yield install, schedule_from_row(row)
