"""Queries whose cost does not grow with the table: moto sorts all of it for each of them."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from moto.dynamodb.models.table import Table

if TYPE_CHECKING:
    from moto.dynamodb.models.dynamo_type import DynamoType, Item

_query = Table.query


def look_only_where_queries_ask() -> None:
    """Let moto look at one partition, or at an index without sorting first; needs one DynamoDB request at a time."""
    Table.query = query  # type: ignore[method-assign,assignment]


def query(table: Table, hash_key: DynamoType | None, *given: Any, **named: Any) -> Any:
    """The same answer: moto sorts what it has found once more."""
    if not table.has_range_key:
        return _query(table, hash_key, *given, **named)
    index = named.get("index_name") or (given[6] if len(given) > 6 else None)
    partitions: Any = table.items.values() if index else [table.items.get(hash_key, {})]
    found: list[Item] = list(chain.from_iterable(each.values() for each in partitions))
    table.all_items = lambda: found  # type: ignore[method-assign]
    try:
        return _query(table, hash_key, *given, **named)
    finally:
        del table.all_items
