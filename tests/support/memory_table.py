"""One DynamoDB table in memory: conditional writes, transactions, queries, and a sparse index."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.memory_expressions import (
    Condition,
    InvalidPath,
    Item,
    NotUnderstood,
    condition,
    copied,
    update,
    updated,
)

Arguments = Mapping[str, Any]
Key = tuple[str, ...]
_FAILED = "The conditional request failed"
_EXPRESSED = {"TableName", "ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnConsumedCapacity"}
_WRITTEN = {
    "Put": {"Item", "ConditionExpression"},
    "Update": {"Key", "UpdateExpression", "ConditionExpression", "ReturnValues"},
    "Delete": {"Key", "ConditionExpression"},
    "ConditionCheck": {"Key", "ConditionExpression"},
}
_READ = {"KeyConditionExpression", "FilterExpression", "IndexName", "ConsistentRead", "ScanIndexForward"}
_PAGED = {"Limit", "ExclusiveStartKey", "ProjectionExpression"}


class Refusal(Exception):
    """An error that the service answers."""

    def __init__(self, code: str, message: str = "", status: int = 400, **more: Any) -> None:
        super().__init__(message or code)
        self.code, self.status, self.more = code, status, more


@dataclass(frozen=True)
class Index:
    """A secondary index: its keys, and what it projects."""

    keys: tuple[str, ...]
    projected: frozenset[str]


@dataclass
class MemoryTable:
    """Items by their keys."""

    keys: tuple[str, ...]
    indexes: dict[str, Index]
    items: dict[Key, Item] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    changes: list[tuple[Item | None, Item | None]] = field(default_factory=list)
    """Each item before and after, in order; as in a stream, what changes nothing is none."""

    def key_of(self, item: Mapping[str, Any]) -> Key:
        """The key among the attributes, each a string that is not empty."""
        try:
            key = tuple(item[name]["S"] for name in self.keys)
        except KeyError as missing:
            raise _invalid(f"Missing the key {missing}") from missing
        if not all(key):
            raise _invalid("A key attribute cannot contain an empty string value")
        return key

    def change(self, verb: str, given: Arguments) -> tuple[Key, Item | None]:
        """What the write would make of which item, if its condition holds."""
        understood(given, _EXPRESSED | _WRITTEN[verb])
        key = self.key_of(given["Item"] if verb == "Put" else given["Key"])
        before = self.items.get(key)
        text, names, values = given.get("ConditionExpression"), _names(given), _values(given)
        wanted = condition(text, names) if text else None
        changes = update(given["UpdateExpression"], names) if verb == "Update" else None
        used = (wanted.used if wanted else frozenset()) | (changes.used if changes else frozenset())
        _check_used(used, names, values)
        if wanted and not wanted.holds(before or {}, values):
            raise Refusal("ConditionalCheckFailedException", _FAILED)
        if verb == "ConditionCheck":
            return key, before
        if changes is None:
            return key, self._checked(copied(given["Item"])) if verb == "Put" else None
        try:
            after = updated(before or dict(given["Key"]), changes, values)
        except InvalidPath as error:
            raise _invalid("The document path provided in the update expression is invalid") from error
        if self.key_of(after) != key:
            raise _invalid("Cannot update attribute. This attribute is part of the key")
        return key, self._checked(after)

    def _checked(self, item: Item) -> Item:
        for index in self.indexes.values():
            if any(name in item and "S" not in item[name] for name in index.keys):
                raise _invalid("Type mismatch for an index key")
        return item

    def store(self, key: Key, item: Item | None) -> None:
        """Make the change."""
        if item != self.items.get(key):
            self.changes.append((self.items.get(key), item))
        if item is None:
            self.items.pop(key, None)
        else:
            self.items[key] = item

    def transact(self, steps: list[Mapping[str, Arguments]], token: str | None) -> None:
        """All of the steps or none; the same token again does nothing."""
        asked = json.dumps(steps, sort_keys=True) if token else ""
        if self._already(asked, token):
            return
        named = [next(iter(step.items())) for step in steps]
        keys = [self.key_of(given["Item"] if verb == "Put" else given["Key"]) for verb, given in named]
        if len(set(keys)) < len(keys):
            raise _invalid("Transaction request cannot include multiple operations on one item")
        if not 1 <= len(steps) <= 100:
            raise _invalid("Member must have length between 1 and 100")
        changes, reasons = [], []
        for verb, given in named:
            try:
                changes.append(self.change(verb, given))
                reasons.append({"Code": "None"})
            except Refusal as refusal:
                reasons.append(_reason(refusal))
        _cancel_if_any(reasons)
        for key, item in changes:
            self.store(key, item)
        if token:
            self.tokens[token] = asked

    def _already(self, asked: str, token: str | None) -> bool:
        if token not in self.tokens:
            return False
        if self.tokens[token] != asked:
            raise Refusal("IdempotentParameterMismatchException")
        return True

    def batch_get(self, given: Arguments) -> list[Item]:
        """The items there are, in another order than asked for, as DynamoDB may."""
        understood(given, {"Keys", "ConsistentRead"})
        keys = [self.key_of(key) for key in given["Keys"]]
        if len(set(keys)) < len(keys) or not 1 <= len(keys) <= 100:
            raise _invalid("Provided list of item keys contains duplicates, or too many, or none")
        return [copied(self.items[key]) for key in sorted(keys) if key in self.items]

    def read(self, given: Arguments, *, query: bool) -> dict[str, Any]:
        """A page of a Query or a Scan."""
        understood(given, _EXPRESSED | _READ | _PAGED)
        index = self.indexes[given["IndexName"]] if "IndexName" in given else None
        if index and given.get("ConsistentRead"):
            raise _invalid("Consistent reads are not supported on global secondary indexes")
        hash_key, *order = index.keys if index else self.keys
        order += self.keys
        names, values = _names(given), _values(given)
        within = _key_condition(given["KeyConditionExpression"], names, hash_key) if query else None
        kept = condition(given["FilterExpression"], names) if "FilterExpression" in given else None
        chosen = frozenset(given.get("ProjectionExpression", "").split(", ")) - {""}
        _check_used(chosen.union(*(each.used for each in (within, kept) if each)), names, values)
        rows: Iterable[Item] = self.items.values()
        if within:
            wanted = values[within.equalities[hash_key]]
            rows = [row for row in rows if row.get(hash_key) == wanted]
        if index:
            rows = [row for row in rows if all(name in row for name in index.keys)]
        found = [row for row in rows if within is None or within.holds(row, values)]
        order = order if query else [hash_key, *order]
        place: Callable[[Mapping[str, Any]], list[str]] = lambda row: [row[name]["S"] for name in order]  # noqa: E731
        forward = given.get("ScanIndexForward", True)
        found.sort(key=place, reverse=not forward)
        if "ExclusiveStartKey" in given:
            start = place(given["ExclusiveStartKey"])
            found = [row for row in found if (place(row) > start if forward else place(row) < start)]
        page = found[: given.get("Limit")]
        shown = [
            row
            for row in page
            if kept is None or kept.holds(_projected(row, index, self.keys, set()), values)
        ]
        answer: dict[str, Any] = {"Count": len(shown), "ScannedCount": len(page)}
        attributes = {name for placeholder, name in names if placeholder in chosen}
        answer["Items"] = [_projected(row, index, self.keys, attributes) for row in shown]
        if "Limit" in given and len(page) == given["Limit"]:
            last = {*self.keys, *(index.keys if index else ())}
            answer["LastEvaluatedKey"] = {name: dict(page[-1][name]) for name in sorted(last)}
        return answer


def understood(given: Arguments, known: set[str]) -> None:
    """Raises NotUnderstood where there is an argument beyond the known ones."""
    if given.keys() - known:
        raise NotUnderstood(f"arguments {sorted(given.keys() - known)}")


def _invalid(message: str) -> Refusal:
    return Refusal("ValidationException", message)


def _names(given: Arguments) -> tuple[tuple[str, str], ...]:
    return tuple(given.get("ExpressionAttributeNames", {}).items())


def _values(given: Arguments) -> Mapping[str, Any]:
    values: Mapping[str, Any] = given.get("ExpressionAttributeValues", {})
    return values


def _check_used(used: frozenset[str], names: tuple[tuple[str, str], ...], values: Arguments) -> None:
    if used != {name for name, _ in names} | values.keys():
        raise _invalid(
            "Value provided in ExpressionAttributeNames or Values unused in expressions, or missing"
        )


def _key_condition(text: str, names: tuple[tuple[str, str], ...], hash_key: str) -> Condition:
    wanted = condition(text, names)
    if not wanted.only_and or hash_key not in wanted.equalities:
        raise _invalid("Query condition missed key schema element")
    return wanted


def _reason(refusal: Refusal) -> dict[str, str]:
    codes = {
        "ConditionalCheckFailedException": "ConditionalCheckFailed",
        "ValidationException": "ValidationError",
    }
    return {"Code": codes[refusal.code], "Message": str(refusal)}


def _cancel_if_any(reasons: list[dict[str, str]]) -> None:
    codes = [reason["Code"] for reason in reasons]
    if set(codes) != {"None"}:
        text = "Transaction cancelled, please refer cancellation reasons for specific reasons"
        message = f"{text} [{', '.join(codes)}]"
        raise Refusal("TransactionCanceledException", message, CancellationReasons=reasons)


def _projected(row: Item, index: Index | None, keys: tuple[str, ...], chosen: set[str]) -> Item:
    kept = {*index.projected, *index.keys, *keys} if index else row.keys()
    return {
        name: copied(value) for name, value in row.items() if name in kept and (not chosen or name in chosen)
    }
