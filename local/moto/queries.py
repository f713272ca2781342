"""Makes the cost of a query independent of the table's size.

Written for moto 5.2.5, which sorts the whole table for each query.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from moto.dynamodb.models.table import Table

if TYPE_CHECKING:
    from moto.dynamodb.models.dynamo_type import DynamoType, Item

_original_query = Table.query


def patch_queries() -> None:
    """Let moto read one partition, or an index unsorted.

    Requires that DynamoDB requests run one at a time.
    """
    Table.query = query_partition  # type: ignore[method-assign,assignment]


def query_partition(table: Table, hash_key: DynamoType | None, *args: Any, **kwargs: Any) -> Any:
    """Return moto's result; moto sorts the matching items itself."""
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
