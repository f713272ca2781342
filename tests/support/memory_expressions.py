"""DynamoDB's expressions, compiled once for each text; what is not understood here raises, and loudly."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

Value = Mapping[str, Any]
Item = dict[str, Any]
Values = Mapping[str, Value]
Path = tuple[str, ...]
Operand = Callable[[Item, Values], Value | None]
Predicate = Callable[[Item, Values], bool]

_TOKEN = re.compile(r"\s*(<=|>=|<>|[=<>(),.]|[#:]?\w+|\S)")
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


class NotUnderstood(BaseException):
    """The stand-in does not know what was asked; nothing of the code under test may catch it."""


class InvalidPath(Exception):
    """The path of an update leads through what is no map."""


@dataclass(frozen=True)
class Condition:
    """A compiled condition, with what it names."""

    holds: Predicate
    equalities: Mapping[str, str]
    """The attributes that are compared by `=`, each with the word of its value."""
    only_and: bool
    used: frozenset[str]


@dataclass(frozen=True)
class Action:
    """One part of an update; `operand` is None where the path is removed."""

    verb: str
    path: Path
    operand: Operand | None


@dataclass(frozen=True)
class Update:
    """A compiled update, with what it names."""

    actions: tuple[Action, ...]
    used: frozenset[str]


def copied(value: Any) -> Any:
    """A copy of an item or a value, as deep as it goes."""
    if isinstance(value, dict):
        return {
            name: copied(each) if isinstance(each, (dict, list)) else each for name, each in value.items()
        }
    return [copied(each) for each in value] if isinstance(value, list) else value


def at(item: Item, path: Path) -> Value | None:
    """What the item has there."""
    found: Value | None = item.get(path[0])
    for step in path[1:]:
        found = found.get("M", {}).get(step) if found else None
    return found


def comparable(value: Value) -> tuple[str, Any]:
    """Type and value in a form to compare."""
    ((kind, held),) = value.items()
    if kind == "N":
        return kind, Decimal(held)
    return kind, frozenset(held) if kind in ("SS", "NS") else held


@dataclass
class _Parser:
    text: str
    names: Mapping[str, str]
    used: set[str] = field(default_factory=set)
    equalities: dict[str, str] = field(default_factory=dict)
    only_and: bool = True

    def __post_init__(self) -> None:
        self._tokens = _TOKEN.findall(self.text)
        self._place = 0

    def peek(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token.upper() != wanted):
            raise NotUnderstood(f"{wanted or 'more'} wanted at {self._place} of {self.text!r}")
        self._place += 1
        return token

    def accept(self, wanted: str) -> bool:
        if self.peek().upper() != wanted:
            return False
        self._place += 1
        return True

    def any_of(self) -> Predicate:
        parts = [self.all_of()]
        while self.accept("OR"):
            self.only_and = False
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else lambda i, v: any(part(i, v) for part in parts)

    def all_of(self) -> Predicate:
        parts = [self.one()]
        while self.accept("AND"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else lambda i, v: all(part(i, v) for part in parts)

    def one(self) -> Predicate:
        if self.accept("NOT"):
            self.only_and = False
            negated = self.one()
            return lambda i, v: not negated(i, v)
        if self.accept("("):
            inner = self.any_of()
            self.take(")")
            return inner
        return self.comparison() if self.peek()[:1] in ("#", ":") else self.function()

    def function(self) -> Predicate:
        name = self.take()
        self.take("(")
        path = self.path()
        if name == "begins_with":
            self.take(",")
            prefix = self.operand()
            self.take(")")
            return lambda i, v: _begins(at(i, path), prefix(i, v))
        self.take(")")
        if name == "attribute_exists":
            return lambda i, _v: at(i, path) is not None
        if name == "attribute_not_exists":
            return lambda i, _v: at(i, path) is None
        raise NotUnderstood(f"{name} in {self.text!r}")

    def comparison(self) -> Predicate:
        attribute = self.names.get(self.peek(), "")
        left = self.operand()
        sign = self.take().upper()
        if sign == "BETWEEN":
            low = self.operand()
            self.take("AND")
            high = self.operand()
            return lambda i, v: _ordered("<=", low, left, i, v) and _ordered("<=", left, high, i, v)
        if sign == "IN":
            choices = self.choices()
            return lambda i, v: any(_equal(left(i, v), choice(i, v)) for choice in choices)
        if sign == "=":
            self.equalities[attribute] = self.peek()
        right = self.operand()
        if sign == "=":
            return lambda i, v: _equal(left(i, v), right(i, v))
        if sign == "<>":
            return lambda i, v: not _equal(left(i, v), right(i, v))
        if sign in _ORDERED:
            return lambda i, v: _ordered(sign, left, right, i, v)
        raise NotUnderstood(f"{sign} in {self.text!r}")

    def choices(self) -> list[Operand]:
        self.take("(")
        found = [self.operand()]
        while self.accept(","):
            found.append(self.operand())
        self.take(")")
        return found

    def operand(self) -> Operand:
        if self.peek().startswith(":"):
            word = self.take()
            self.used.add(word)
            return lambda _i, v: v[word]
        path = self.path()
        return lambda i, _v: at(i, path)

    def path(self) -> Path:
        steps: list[str] = []
        while not steps or self.accept("."):
            word = self.take()
            if word not in self.names:
                raise NotUnderstood(f"{word} in {self.text!r}")
            self.used.add(word)
            steps.append(self.names[word])
        return tuple(steps)

    def actions(self) -> list[Action]:
        found: list[Action] = []
        while self.peek():
            verb = self.take().upper()
            if verb not in ("SET", "REMOVE", "ADD"):
                raise NotUnderstood(f"{verb} in {self.text!r}")
            found.append(self.action(verb))
            while self.accept(","):
                found.append(self.action(verb))
        return found

    def action(self, verb: str) -> Action:
        path = self.path()
        if verb == "SET":
            self.take("=")
        return Action(verb, path, None if verb == "REMOVE" else self.operand())


def _begins(value: Value | None, prefix: Value | None) -> bool:
    return bool(value and prefix and value.get("S", "").startswith(prefix["S"]))


def _equal(left: Value | None, right: Value | None) -> bool:
    return left is not None and right is not None and comparable(left) == comparable(right)


def _ordered(sign: str, left: Operand, right: Operand, item: Item, values: Values) -> bool:
    one, other = left(item, values), right(item, values)
    if one is None or other is None or set(one) != set(other):
        return False
    return _ORDERED[sign](comparable(one)[1], comparable(other)[1])


@lru_cache(maxsize=4096)
def condition(text: str, names: tuple[tuple[str, str], ...]) -> Condition:
    """The condition that the text means."""
    parser = _Parser(text, dict(names))
    holds = parser.any_of()
    if parser.peek():
        raise NotUnderstood(f"{parser.peek()!r} is left of {text!r}")
    return Condition(holds, parser.equalities, parser.only_and, frozenset(parser.used))


@lru_cache(maxsize=4096)
def update(text: str, names: tuple[tuple[str, str], ...]) -> Update:
    """The update that the text means."""
    parser = _Parser(text, dict(names))
    return Update(tuple(parser.actions()), frozenset(parser.used))


def updated(item: Item, given: Update, values: Values) -> Item:
    """The item as the update leaves it; the values of all its actions are those from before. Raises InvalidPath."""
    after: Item = copied(item)
    for action in given.actions:
        holder: Any = after
        for step in action.path[:-1]:
            holder = holder.get(step, {}).get("M")
            if holder is None:
                raise InvalidPath
        last = action.path[-1]
        operand = action.operand(item, values) if action.operand else None
        if action.verb == "REMOVE":
            holder.pop(last, None)
        elif operand is None:
            raise InvalidPath
        else:
            holder[last] = copied(operand) if action.verb == "SET" else _sum(holder.get(last), operand)
    return after


def _sum(held: Value | None, more: Value) -> Value:
    if "N" not in more:
        raise NotUnderstood("ADD of what is no number")
    return {"N": str(Decimal(held["N"] if held else 0) + Decimal(more["N"]))}
