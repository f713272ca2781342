"""DynamoDB's expressions, compiled once for each text; an unsupported expression raises."""

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
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


class UnsupportedRequest(BaseException):
    """A request that the stand-in does not implement; a BaseException, so that the code under test cannot catch it."""


class InvalidPath(Exception):
    """An update's path leads through a value that is not a map."""


@dataclass(frozen=True)
class Condition:
    """A compiled condition, with the placeholders that it uses."""

    predicate: Predicate
    equalities: Mapping[str, str]
    """The attributes that are compared by `=`, each with the placeholder of its value."""
    is_conjunction: bool
    placeholders: frozenset[str]


@dataclass(frozen=True)
class UpdateAction:
    """One action of an update; `operand` is None for a REMOVE."""

    verb: str
    path: Path
    operand: Operand | None


@dataclass(frozen=True)
class UpdateExpression:
    """A compiled update, with the placeholders that it uses."""

    actions: tuple[UpdateAction, ...]
    placeholders: frozenset[str]


def copy_value(value: Any) -> Any:
    """Return a deep copy of an item or a value."""
    if isinstance(value, dict):
        return {
            name: copy_value(each) if isinstance(each, (dict, list)) else each for name, each in value.items()
        }
    return [copy_value(each) for each in value] if isinstance(value, list) else value


def value_at(item: Item, path: Path) -> Value | None:
    """Return the item's value at the path."""
    value: Value | None = item.get(path[0])
    for step in path[1:]:
        value = value.get("M", {}).get(step) if value else None
    return value


def comparison_key(value: Value) -> tuple[str, Any]:
    """Return type and value in a comparable form."""
    ((kind, content),) = value.items()
    if kind == "N":
        return kind, Decimal(content)
    return kind, frozenset(content) if kind in ("SS", "NS") else content


@dataclass
class _Parser:
    """A recursive-descent parser; it collects the placeholders on the way."""

    text: str
    names: Mapping[str, str]
    placeholders: set[str] = field(default_factory=set)
    equalities: dict[str, str] = field(default_factory=dict)
    is_conjunction: bool = True

    def __post_init__(self) -> None:
        self._tokens = _TOKEN.findall(self.text)
        self._position = 0

    def peek_token(self) -> str:
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def take_token(self, expected: str = "") -> str:
        token = self.peek_token()
        if not token or (expected and token.upper() != expected):
            raise UnsupportedRequest(f"{expected or 'a token'} expected at {self._position} of {self.text!r}")
        self._position += 1
        return token

    def accept_token(self, expected: str) -> bool:
        if self.peek_token().upper() != expected:
            return False
        self._position += 1
        return True

    def parse_or(self) -> Predicate:
        parts = [self.parse_and()]
        while self.accept_token("OR"):
            self.is_conjunction = False
            parts.append(self.parse_and())
        return parts[0] if len(parts) == 1 else lambda i, v: any(part(i, v) for part in parts)

    def parse_and(self) -> Predicate:
        parts = [self.parse_term()]
        while self.accept_token("AND"):
            parts.append(self.parse_term())
        return parts[0] if len(parts) == 1 else lambda i, v: all(part(i, v) for part in parts)

    def parse_term(self) -> Predicate:
        if self.accept_token("NOT"):
            self.is_conjunction = False
            negated = self.parse_term()
            return lambda i, v: not negated(i, v)
        if self.accept_token("("):
            inner = self.parse_or()
            self.take_token(")")
            return inner
        return self.parse_comparison() if self.peek_token()[:1] in ("#", ":") else self.parse_function()

    def parse_function(self) -> Predicate:
        name = self.take_token()
        self.take_token("(")
        path = self.parse_path()
        if name == "begins_with":
            self.take_token(",")
            prefix = self.parse_operand()
            self.take_token(")")
            return lambda i, v: _begins_with(value_at(i, path), prefix(i, v))
        if name == "attribute_type":
            self.take_token(",")
            kind = self.parse_operand()
            self.take_token(")")
            return lambda i, v: _has_type(value_at(i, path), kind(i, v))
        self.take_token(")")
        if name == "attribute_exists":
            return lambda i, _v: value_at(i, path) is not None
        if name == "attribute_not_exists":
            return lambda i, _v: value_at(i, path) is None
        raise UnsupportedRequest(f"{name} in {self.text!r}")

    def parse_comparison(self) -> Predicate:
        attribute = self.names.get(self.peek_token(), "")
        left = self.parse_operand()
        sign = self.take_token().upper()
        if sign == "BETWEEN":
            low = self.parse_operand()
            self.take_token("AND")
            high = self.parse_operand()
            return lambda i, v: _compare("<=", low, left, i, v) and _compare("<=", left, high, i, v)
        if sign == "IN":
            choices = self.parse_choices()
            return lambda i, v: any(_are_equal(left(i, v), choice(i, v)) for choice in choices)
        if sign == "=":
            self.equalities[attribute] = self.peek_token()
        right = self.parse_operand()
        if sign == "=":
            return lambda i, v: _are_equal(left(i, v), right(i, v))
        if sign == "<>":
            return lambda i, v: not _are_equal(left(i, v), right(i, v))
        if sign in _COMPARISONS:
            return lambda i, v: _compare(sign, left, right, i, v)
        raise UnsupportedRequest(f"{sign} in {self.text!r}")

    def parse_choices(self) -> list[Operand]:
        self.take_token("(")
        operands = [self.parse_operand()]
        while self.accept_token(","):
            operands.append(self.parse_operand())
        self.take_token(")")
        return operands

    def parse_operand(self) -> Operand:
        if self.peek_token().startswith(":"):
            placeholder = self.take_token()
            self.placeholders.add(placeholder)
            return lambda _i, v: v[placeholder]
        path = self.parse_path()
        return lambda i, _v: value_at(i, path)

    def parse_path(self) -> Path:
        steps: list[str] = []
        while not steps or self.accept_token("."):
            placeholder = self.take_token()
            if placeholder not in self.names:
                raise UnsupportedRequest(f"{placeholder} in {self.text!r}")
            self.placeholders.add(placeholder)
            steps.append(self.names[placeholder])
        return tuple(steps)

    def parse_actions(self) -> list[UpdateAction]:
        parsed: list[UpdateAction] = []
        while self.peek_token():
            verb = self.take_token().upper()
            if verb not in ("SET", "REMOVE", "ADD"):
                raise UnsupportedRequest(f"{verb} in {self.text!r}")
            parsed.append(self.parse_action(verb))
            while self.accept_token(","):
                parsed.append(self.parse_action(verb))
        return parsed

    def parse_action(self, verb: str) -> UpdateAction:
        path = self.parse_path()
        if verb == "SET":
            self.take_token("=")
        return UpdateAction(verb, path, None if verb == "REMOVE" else self.parse_set_operand())

    def parse_set_operand(self) -> Operand:
        """Parse a value, or `if_not_exists` of a path and a value."""
        if not self.accept_token("IF_NOT_EXISTS"):
            return self.parse_operand()
        current, default = self.parse_choices()
        return lambda i, v: current(i, v) or default(i, v)


def _begins_with(value: Value | None, prefix: Value | None) -> bool:
    return bool(value and prefix and value.get("S", "").startswith(prefix["S"]))


def _has_type(value: Value | None, kind: Value | None) -> bool:
    return bool(value and kind and kind["S"] in value)


def _are_equal(left: Value | None, right: Value | None) -> bool:
    return left is not None and right is not None and comparison_key(left) == comparison_key(right)


def _compare(sign: str, left: Operand, right: Operand, item: Item, values: Values) -> bool:
    one, other = left(item, values), right(item, values)
    if one is None or other is None or set(one) != set(other):
        return False
    return _COMPARISONS[sign](comparison_key(one)[1], comparison_key(other)[1])


@lru_cache(maxsize=4096)
def parse_condition(text: str, names: tuple[tuple[str, str], ...]) -> Condition:
    """Compile a condition."""
    parser = _Parser(text, dict(names))
    predicate = parser.parse_or()
    if parser.peek_token():
        raise UnsupportedRequest(f"{parser.peek_token()!r} remains of {text!r}")
    return Condition(predicate, parser.equalities, parser.is_conjunction, frozenset(parser.placeholders))


@lru_cache(maxsize=4096)
def parse_update(text: str, names: tuple[tuple[str, str], ...]) -> UpdateExpression:
    """Compile an update."""
    parser = _Parser(text, dict(names))
    return UpdateExpression(tuple(parser.parse_actions()), frozenset(parser.placeholders))


def apply_update(item: Item, expression: UpdateExpression, values: Values) -> Item:
    """Return the updated item; every action reads the values from before the update.

    Raises:
        InvalidPath: a path does not exist in the item.
    """
    after: Item = copy_value(item)
    for action in expression.actions:
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
            holder[last] = (
                copy_value(operand) if action.verb == "SET" else _add_values(holder.get(last), operand)
            )
    return after


def _add_values(current: Value | None, more: Value) -> Value:
    if "N" not in more:
        raise UnsupportedRequest("ADD of a value that is not a number")
    return {"N": str(Decimal(current["N"] if current else 0) + Decimal(more["N"]))}
