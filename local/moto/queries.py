"""Queries whose cost does not grow with the table: moto sorts all of it for each of them."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from moto.dynamodb.models.table import Table

if TYPE_CHECKING:
    from moto.dynamodb.models.dynamo_type import DynamoType, Item

_original_query = Table.query


def patch_queries() -> None:
    """Let moto look at one partition, or at an index without sorting first; needs one DynamoDB request at a time."""
    Table.query = query_partition  # type: ignore[method-assign,assignment]


def query_partition(table: Table, hash_key: DynamoType | None, *args: Any, **kwargs: Any) -> Any:
    """The same answer: moto sorts what it has found once more."""
    if not table.has_range_key:
        return _original_query(table, hash_key, *args, **kwargs)
    index = kwargs.get("index_name") or (args[6] if len(args) > 6 else None)
    partitions: Any = table.items.values() if index else [table.items.get(hash_key, {})]
    items: list[Item] = list(chain.from_iterable(partition.values() for partition in partitions))
    table.all_items = lambda: items  # type: ignore[method-assign]
    try:
        return _original_query(table, hash_key, *args, **kwargs)
    finally:
        del table.all_items
