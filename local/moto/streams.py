"""Keeps DynamoDB streams fast and bounded, also over days.

Written for moto 5.2.5, which keeps every record and iterator forever, whose iterators return the records of a cancelled
transaction, and which takes milliseconds to serialize each record.
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

RETAINED_RECORDS, RETAINED_ITERATORS = 5_000, 1_000
_original_add = StreamShard.add


def patch_streams() -> None:
    """Let moto delete old records and iterators, as AWS does, and serialize records as they are stored.

    Requires that DynamoDB requests run one at a time.
    """
    StreamShard.add = _add_and_trim  # type: ignore[method-assign,assignment]
    DynamoDBStreamsHandler.get_records = _get_records  # type: ignore[method-assign,assignment]


def _add_and_trim(shard: StreamShard, old: Any, new: Any) -> None:
    _original_add(shard, old, new)
    trim_shard(shard)


def trim_shard(shard: StreamShard) -> None:
    """Delete the oldest records of a shard once it holds twice as many as are retained."""
    if len(shard.items) >= 2 * RETAINED_RECORDS:
        trimmed_count = len(shard.items) - RETAINED_RECORDS
        shard.items = shard.items[trimmed_count:]
        shard.starting_sequence_number += trimmed_count


def _get_records(handler: DynamoDBStreamsHandler) -> str:
    request = json.loads(handler.body)
    response = handler.backend.get_records(request["ShardIterator"], request.get("Limit") or 1000)
    _trim_iterators(handler.backend)
    return json.dumps(response, default=_to_epoch)


def _trim_iterators(backend: DynamoDBStreamsBackend) -> None:
    iterators = backend.shard_iterators
    for iterator_id in list(islice(iterators, max(0, len(iterators) - RETAINED_ITERATORS))):
        del iterators[iterator_id]


def _to_epoch(instant: datetime) -> float:
    """Convert a time of moto, which is in UTC but naive."""
    return instant.replace(tzinfo=UTC).timestamp()


@contextmanager
def atomic_stream_writes(backend: DynamoDBBackend, table_names: Iterable[str]) -> Iterator[None]:
    """Buffer the tables' stream records within the block, and discard them if it fails."""
    shards = {name: shard for name in set(table_names) if (shard := _find_shard(backend.tables.get(name)))}
    buffers = {name: _create_buffer(shard) for name, shard in shards.items()}
    for name, shard in buffers.items():
        backend.tables[name].stream_shard = shard
    try:
        yield
        for name, shard in shards.items():
            shard.items += buffers[name].items
            trim_shard(shard)
    finally:
        for name, shard in shards.items():
            backend.tables[name].stream_shard = shard


def _find_shard(table: Table | None) -> StreamShard | None:
    return table.stream_shard if table else None


def _create_buffer(shard: StreamShard) -> StreamShard:
    """Return an empty shard whose sequence numbers continue those of the shard."""
    buffer = copy.copy(shard)
    buffer.items = []
    buffer.starting_sequence_number += len(shard.items)
    return buffer
