"""One DynamoDB table in memory: conditional writes, transactions, queries, and a sparse index."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.aws.memory_expressions import (
    Condition,
    InvalidPath,
    Item,
    UnsupportedRequest,
    apply_update,
    copy_value,
    parse_condition,
    parse_update,
)

Arguments = Mapping[str, Any]
Key = tuple[str, ...]
MAX_PAGE_BYTES = 1_000_000
_FAILED = "The conditional request failed"
_EXPRESSION_ARGUMENTS = {
    "TableName",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnConsumedCapacity",
}
_WRITE_ARGUMENTS = {
    "Put": {"Item", "ConditionExpression"},
    "Update": {"Key", "UpdateExpression", "ConditionExpression", "ReturnValues"},
    "Delete": {"Key", "ConditionExpression"},
    "ConditionCheck": {"Key", "ConditionExpression"},
}
_READ_ARGUMENTS = {
    "KeyConditionExpression",
    "FilterExpression",
    "IndexName",
    "ConsistentRead",
    "ScanIndexForward",
}
_PAGE_ARGUMENTS = {"Limit", "ExclusiveStartKey", "ProjectionExpression"}


class ServiceError(Exception):
    """An error response of the service."""

    def __init__(self, code: str, message: str = "", status: int = 400, **more: Any) -> None:
        super().__init__(message or code)
        self.code, self.status, self.more = code, status, more


@dataclass(frozen=True)
class Index:
    """A secondary index: its keys and its projected attributes."""

    keys: tuple[str, ...]
    projected: frozenset[str]


@dataclass
class MemoryTable:
    """A table's items by key, and its changes."""

    keys: tuple[str, ...]
    indexes: dict[str, Index]
    items: dict[Key, Item] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    changes: list[tuple[Item | None, Item | None]] = field(default_factory=list)
    """Each changed item before and after, in order; as in a stream, a write without effect is not a change."""

    def item_key(self, item: Mapping[str, Any]) -> Key:
        """Return the key of an item; its attributes must be non-empty strings."""
        try:
            key = tuple(item[name]["S"] for name in self.keys)
        except KeyError as missing:
            raise _validation_error(f"Missing the key {missing}") from missing
        if not all(key):
            raise _validation_error("A key attribute cannot contain an empty string value")
        return key

    def evaluate_write(self, verb: str, arguments: Arguments) -> tuple[Key, Item | None]:
        """Return the key and the item as the write would leave it; raises where its condition fails."""
        require_known_arguments(arguments, _EXPRESSION_ARGUMENTS | _WRITE_ARGUMENTS[verb])
        key = self.item_key(arguments["Item"] if verb == "Put" else arguments["Key"])
        before = self.items.get(key)
        text, names, values = (
            arguments.get("ConditionExpression"),
            _expression_names(arguments),
            _expression_values(arguments),
        )
        write_condition = parse_condition(text, names) if text else None
        changes = parse_update(arguments["UpdateExpression"], names) if verb == "Update" else None
        placeholders = (write_condition.placeholders if write_condition else frozenset()) | (
            changes.placeholders if changes else frozenset()
        )
        _require_all_used(placeholders, names, values)
        if write_condition and not write_condition.predicate(before or {}, values):
            raise ServiceError("ConditionalCheckFailedException", _FAILED)
        if verb == "ConditionCheck":
            return key, before
        if changes is None:
            return key, self._require_index_types(copy_value(arguments["Item"])) if verb == "Put" else None
        try:
            after = apply_update(before or dict(arguments["Key"]), changes, values)
        except InvalidPath as error:
            raise _validation_error(
                "The document path provided in the update expression is invalid"
            ) from error
        if self.item_key(after) != key:
            raise _validation_error("Cannot update attribute. This attribute is part of the key")
        return key, self._require_index_types(after)

    def _require_index_types(self, item: Item) -> Item:
        for index in self.indexes.values():
            if not all(item[name].get("S") for name in index.keys if name in item):
                raise _validation_error("Type mismatch for an index key, or an empty string")
        return item

    def store_item(self, key: Key, item: Item | None) -> None:
        """Store or, with None, delete the item, and record the change."""
        if item != self.items.get(key):
            self.changes.append((self.items.get(key), item))
        if item is None:
            self.items.pop(key, None)
        else:
            self.items[key] = item

    def transact_write(self, steps: list[Mapping[str, Arguments]], token: str | None) -> None:
        """Apply all steps or none; a repeated token changes nothing."""
        request = json.dumps(steps, sort_keys=True) if token else ""
        if self._is_repeated(request, token):
            return
        operations = [next(iter(step.items())) for step in steps]
        keys = [self.item_key(each["Item"] if verb == "Put" else each["Key"]) for verb, each in operations]
        if len(set(keys)) < len(keys):
            raise _validation_error("Transaction request cannot include multiple operations on one item")
        if not 1 <= len(steps) <= 100:
            raise _validation_error("Member must have length between 1 and 100")
        changes, reasons = [], []
        for verb, arguments in operations:
            try:
                changes.append(self.evaluate_write(verb, arguments))
                reasons.append({"Code": "None"})
            except ServiceError as refusal:
                reasons.append(_cancellation_reason(refusal))
        _raise_if_cancelled(reasons)
        for key, item in changes:
            self.store_item(key, item)
        if token:
            self.tokens[token] = request

    def _is_repeated(self, request: str, token: str | None) -> bool:
        if token not in self.tokens:
            return False
        if self.tokens[token] != request:
            raise ServiceError("IdempotentParameterMismatchException")
        return True

    def batch_get_items(self, arguments: Arguments) -> list[Item]:
        """Return the existing items, in an order other than the request's, as DynamoDB may."""
        require_known_arguments(arguments, {"Keys", "ConsistentRead"})
        keys = [self.item_key(key) for key in arguments["Keys"]]
        if len(set(keys)) < len(keys) or not 1 <= len(keys) <= 100:
            raise _validation_error("Provided list of item keys contains duplicates, or too many, or none")
        return [copy_value(self.items[key]) for key in sorted(keys) if key in self.items]

    def read_page(self, arguments: Arguments, *, query: bool) -> dict[str, Any]:
        """Return a page of a Query or a Scan."""
        require_known_arguments(arguments, _EXPRESSION_ARGUMENTS | _READ_ARGUMENTS | _PAGE_ARGUMENTS)
        index = self.indexes[arguments["IndexName"]] if "IndexName" in arguments else None
        if index and arguments.get("ConsistentRead"):
            raise _validation_error("Consistent reads are not supported on global secondary indexes")
        hash_key = (index.keys if index else self.keys)[0]
        names, values = _expression_names(arguments), _expression_values(arguments)
        key_condition = (
            _parse_key_condition(arguments["KeyConditionExpression"], names, hash_key) if query else None
        )
        filter_condition = (
            parse_condition(arguments["FilterExpression"], names) if "FilterExpression" in arguments else None
        )
        projection = frozenset(arguments.get("ProjectionExpression", "").split(", ")) - {""}
        _require_all_used(
            projection.union(*(each.placeholders for each in (key_condition, filter_condition) if each)),
            names,
            values,
        )
        matches = self._sorted_matches(arguments, index, key_condition)
        page = _take_page(matches, arguments.get("Limit"))
        attributes = {name for placeholder, name in names if placeholder in projection}
        items = [
            _project_item(row, index, self.keys, attributes)
            for row in page
            if filter_condition is None
            or filter_condition.predicate(_project_item(row, index, self.keys, set()), values)
        ]
        response: dict[str, Any] = {"Items": items, "Count": len(items), "ScannedCount": len(page)}
        if len(page) == arguments.get("Limit") or len(page) < len(matches):
            last = {*self.keys, *(index.keys if index else ())}
            response["LastEvaluatedKey"] = {name: dict(page[-1][name]) for name in sorted(last)}
        return response

    def _sorted_matches(
        self, arguments: Arguments, index: Index | None, key_condition: Condition | None
    ) -> list[Item]:
        """Return the rows of a Query or, without a condition, of a Scan, in order and after the start key."""
        values = _expression_values(arguments)
        hash_key, *order = [*(index.keys if index else self.keys), *self.keys]
        rows: Iterable[Item] = self.items.values()
        if key_condition is None:
            order = [hash_key, *order]
        else:
            partition = values[key_condition.equalities[hash_key]]
            rows = [row for row in rows if row.get(hash_key) == partition]
            rows = [row for row in rows if key_condition.predicate(row, values)]
        if index:
            rows = [row for row in rows if all(name in row for name in index.keys)]

        def sort_position(row: Mapping[str, Any]) -> list[str]:
            return [row[name]["S"] for name in order]

        forward = arguments.get("ScanIndexForward", True)
        matches = sorted(rows, key=sort_position, reverse=not forward)
        if "ExclusiveStartKey" not in arguments:
            return matches
        start = sort_position(arguments["ExclusiveStartKey"])
        return [
            row for row in matches if (sort_position(row) > start if forward else sort_position(row) < start)
        ]


def _take_page(matches: list[Item], limit: int | None) -> list[Item]:
    """Return the first rows, up to the limit and to the one with which they are 1 MB."""
    size = 0
    for count, row in enumerate(matches, start=1):
        size += sum(len(value["S"]) for value in row.values() if "S" in value)
        if count == limit or size >= MAX_PAGE_BYTES:
            return matches[:count]
    return matches


def require_known_arguments(arguments: Arguments, allowed: set[str]) -> None:
    """Reject arguments that the stand-in does not implement.

    Raises:
        UnsupportedRequest: there is another argument.
    """
    if arguments.keys() - allowed:
        raise UnsupportedRequest(f"arguments {sorted(arguments.keys() - allowed)}")


def _validation_error(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def _expression_names(arguments: Arguments) -> tuple[tuple[str, str], ...]:
    return tuple(arguments.get("ExpressionAttributeNames", {}).items())


def _expression_values(arguments: Arguments) -> Mapping[str, Any]:
    values: Mapping[str, Any] = arguments.get("ExpressionAttributeValues", {})
    return values


def _require_all_used(
    placeholders: frozenset[str], names: tuple[tuple[str, str], ...], values: Arguments
) -> None:
    if placeholders != {name for name, _ in names} | values.keys():
        raise _validation_error(
            "Value provided in ExpressionAttributeNames or Values unused in expressions, or missing"
        )


def _parse_key_condition(text: str, names: tuple[tuple[str, str], ...], hash_key: str) -> Condition:
    key_condition = parse_condition(text, names)
    if not key_condition.is_conjunction or hash_key not in key_condition.equalities:
        raise _validation_error("Query condition missed key schema element")
    return key_condition


def _cancellation_reason(refusal: ServiceError) -> dict[str, str]:
    codes = {
        "ConditionalCheckFailedException": "ConditionalCheckFailed",
        "ValidationException": "ValidationError",
    }
    return {"Code": codes[refusal.code], "Message": str(refusal)}


def _raise_if_cancelled(reasons: list[dict[str, str]]) -> None:
    codes = [reason["Code"] for reason in reasons]
    if set(codes) != {"None"}:
        text = "Transaction cancelled, please refer cancellation reasons for specific reasons"
        message = f"{text} [{', '.join(codes)}]"
        raise ServiceError("TransactionCanceledException", message, CancellationReasons=reasons)


def _project_item(row: Item, index: Index | None, keys: tuple[str, ...], projection: set[str]) -> Item:
    names = {*index.projected, *index.keys, *keys} if index else row.keys()
    return {
        name: copy_value(value)
        for name, value in row.items()
        if name in names and (not projection or name in projection)
    }
