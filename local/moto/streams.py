"""Streams as quick as tables, for days on end.

moto keeps every record and every iterator for ever, and what it has undone; each record takes it milliseconds to send.
"""

from __future__ import annotations

import copy
import json
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from moto.dynamodb.models.table import StreamShard
from moto.dynamodbstreams.models import DynamoDBStreamsBackend
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from moto.dynamodb.models import DynamoDBBackend
    from moto.dynamodb.models.table import Table

KEPT_RECORDS, KEPT_ITERATORS = 5_000, 1_000
_add = StreamShard.add


def make_streams_last() -> None:
    """Let moto drop old records and iterators, as AWS does, and send records as they are; one request at a time."""
    StreamShard.add = _add_and_drop  # type: ignore[method-assign,assignment]
    DynamoDBStreamsHandler.get_records = _send_records  # type: ignore[method-assign,assignment]


def _add_and_drop(shard: StreamShard, old: Any, new: Any) -> None:
    _add(shard, old, new)
    drop_old(shard)


def drop_old(shard: StreamShard) -> None:
    """At times, all but the newest records of a shard."""
    if len(shard.items) >= 2 * KEPT_RECORDS:
        dropped = len(shard.items) - KEPT_RECORDS
        shard.items = shard.items[dropped:]
        shard.starting_sequence_number += dropped


def _send_records(handler: DynamoDBStreamsHandler) -> str:
    given = json.loads(handler.body)
    answer = handler.backend.get_records(given["ShardIterator"], given.get("Limit") or 1000)
    _drop_old_iterators(handler.backend)
    return json.dumps(answer, default=_epoch)


def _drop_old_iterators(backend: DynamoDBStreamsBackend) -> None:
    known = backend.shard_iterators
    for old in list(islice(known, max(0, len(known) - KEPT_ITERATORS))):
        del known[old]


def _epoch(moment: datetime) -> float:
    """moto's times are of UTC and do not say so."""
    return moment.replace(tzinfo=UTC).timestamp()


@contextmanager
def streamed_together(backend: DynamoDBBackend, names: Iterable[str]) -> Iterator[None]:
    """Within, what is added to the streams of the tables stays apart, and goes with what fails."""
    streamed = {name: shard for name in set(names) if (shard := _shard(backend.tables.get(name)))}
    apart = {name: _behind(shard) for name, shard in streamed.items()}
    for name, shard in apart.items():
        backend.tables[name].stream_shard = shard
    try:
        yield
        for name, shard in streamed.items():
            shard.items += apart[name].items
            drop_old(shard)
    finally:
        for name, shard in streamed.items():
            backend.tables[name].stream_shard = shard


def _shard(table: Table | None) -> StreamShard | None:
    return table.stream_shard if table else None


def _behind(shard: StreamShard) -> StreamShard:
    """An empty one, whose records are numbered on from the shard's."""
    empty = copy.copy(shard)
    empty.items = []
    empty.starting_sequence_number += len(shard.items)
    return empty
