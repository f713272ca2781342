"""Makes the cost of a transaction independent of the table's size.

Written for moto 5.2.5, which copies the whole table for each item of a transaction.
"""

import copy
from collections import defaultdict
from typing import Any
from unittest.mock import patch

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

from local.moto.streams import atomic_stream_writes

_original_transact_write_items = DynamoDBBackend.transact_write_items


def patch_transactions() -> None:
    """Let moto copy only the items of a transaction.

    Requires that DynamoDB requests run one at a time.
    """
    DynamoDBBackend.transact_write_items = transact_write_items  # type: ignore[method-assign,assignment]


def transact_write_items(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Apply all of the operations or none, in the table and in its stream."""
    operations = [operation for item in transact_items for operation in item.values()]

    def copy_table(table: Table, _memo: dict[int, Any]) -> Table:
        return _copy_table_for_rollback(table, operations)

    table_names = [operation["TableName"] for operation in operations if "TableName" in operation]
    with (
        patch.object(Table, "__deepcopy__", copy_table, create=True),
        atomic_stream_writes(backend, table_names),
    ):
        _original_transact_write_items(backend, transact_items)


def _copy_table_for_rollback(table: Table, operations: list[dict[str, Any]]) -> Table:
    table_copy = copy.copy(table)
    items: dict[Any, Any] = defaultdict(dict)
    items.update(table.items)
    for operation in operations:
        if operation.get("TableName") == table.name:
            _copy_item(items, table, operation.get("Key") or operation.get("Item") or {})
    table_copy.items = items  # type: ignore[assignment]
    return table_copy


def _copy_item(items: dict[Any, Any], table: Table, attributes: dict[str, Any]) -> None:
    if not all(name in attributes for name in table.table_key_attrs):
        return
    *partition, item_key = (DynamoType(attributes[name]) for name in table.table_key_attrs)
    if partition and partition[0] in items:
        items[partition[0]] = dict(items[partition[0]])
    partition_items = items.get(partition[0], {}) if partition else items
    if item_key in partition_items:
        partition_items[item_key] = copy.deepcopy(partition_items[item_key])
