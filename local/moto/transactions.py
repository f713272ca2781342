"""Transactions whose cost does not grow with the table: moto copies all of it for each item of one."""

from __future__ import annotations

import copy
from collections import defaultdict
from typing import Any
from unittest.mock import patch

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

from local.moto.streams import streamed_together

_transact_write_items = DynamoDBBackend.transact_write_items


def copy_only_what_transactions_touch() -> None:
    """Let moto keep copies of the touched items alone; needs one DynamoDB request at a time."""
    DynamoDBBackend.transact_write_items = transact  # type: ignore[method-assign,assignment]


def transact(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """All of the operations or none, in the table and in its stream."""
    operations = [operation for item in transact_items for operation in item.values()]

    def undo_copy(table: Table, _memo: dict[int, Any]) -> Table:
        return _copy_touched(table, operations)

    names = [operation["TableName"] for operation in operations if "TableName" in operation]
    with patch.object(Table, "__deepcopy__", undo_copy, create=True), streamed_together(backend, names):
        _transact_write_items(backend, transact_items)


def _copy_touched(table: Table, operations: list[dict[str, Any]]) -> Table:
    copied = copy.copy(table)
    items: dict[Any, Any] = defaultdict(dict)
    items.update(table.items)
    for operation in operations:
        if operation.get("TableName") == table.name:
            _copy_item(items, table, operation.get("Key") or operation.get("Item") or {})
    copied.items = items  # type: ignore[assignment]
    return copied


def _copy_item(items: dict[Any, Any], table: Table, named: dict[str, Any]) -> None:
    if not all(name in named for name in table.table_key_attrs):
        return
    *partition, last = (DynamoType(named[name]) for name in table.table_key_attrs)
    if partition and partition[0] in items:
        items[partition[0]] = dict(items[partition[0]])
    held = items.get(partition[0], {}) if partition else items
    if last in held:
        held[last] = copy.deepcopy(held[last])
