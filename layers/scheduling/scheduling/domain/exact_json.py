"""Read and write JSON without altering a number: `1.0`, `1e400` and 23-digit integers stay as they were written."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Any, NoReturn

from scheduling.domain.errors import InvalidJson

MAX_DEPTH = 256
_TOO_DEEP_TEXT = f"Nested deeper than {MAX_DEPTH} levels"
_SHORTENED = (b" ", b"\t", b"\n", b"\r", b"\\")
_ESCAPE_SAVINGS = len(rb"\u0041") - len(b"\\A")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written."""

    text: str


@dataclass(slots=True)
class RawJson:
    """A value that is JSON text already; `dumps` writes the text unchanged."""

    text: str


def loads(text: str) -> object:
    """Parse `text`, with its numbers as `Number`.

    Raises:
        InvalidJson: The text is not JSON by RFC 8259 (NaN included), an object repeats a name, a string is not
            Unicode (a lone surrogate), or values nest deeper than 256 levels.
    """
    try:
        value = json.loads(
            text,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object_without_duplicates,
        )
    except json.JSONDecodeError as error:
        raise InvalidJson(f"Not valid JSON{_describe_position(error)}") from error
    except RecursionError as error:
        raise InvalidJson(_TOO_DEEP_TEXT) from error
    _check_depth(value)
    if _SURROGATE_ESCAPE.search(text):
        _refuse_lone_surrogates(value)
    return value


def min_compact_size(text: bytes) -> int:
    """Return a lower bound of the bytes that `dumps(loads(text))` would have, without parsing the text."""
    # Spaces and escapes are all that `dumps` shortens: \uXXXX to one byte at least, \/ by one.
    return len(text) - sum(map(text.count, _SHORTENED)) - _ESCAPE_SAVINGS * text.count(b"\\u")


def dumps(value: object, *, sort_keys: bool = False) -> str:
    """Return compact JSON text of the value, in UTF-8 rather than escapes.

    Takes what `loads` returns, `RawJson`, and plain Python values. About as fast as the standard library's encoder,
    which offers no way to write a number or a value as existing text.
    """
    parts: list[str] = []
    _write_value(value, parts.append, sort_keys)
    return "".join(parts)


_SCALAR_ENCODERS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring,
    Number: attrgetter("text"),
    RawJson: attrgetter("text"),
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): {None: "null"}.__getitem__,
    int: int.__repr__,
}
_find_scalar_encoder = _SCALAR_ENCODERS.get


def _write_value(value: object, append: Callable[[str], None], sort_keys: bool) -> None:
    if encode := _find_scalar_encoder(type(value)):
        append(encode(value))
    elif isinstance(value, dict):
        separator = "{"
        for name, member in sorted(value.items()) if sort_keys else value.items():
            if encode := _find_scalar_encoder(type(member)):
                append(f"{separator}{encode_basestring(name)}:{encode(member)}")
            else:
                append(f"{separator}{encode_basestring(name)}:")
                _write_value(member, append, sort_keys)
            separator = ","
        append("}" if value else "{}")
    elif isinstance(value, list | tuple):
        separator = "["
        for member in value:
            append(separator)
            _write_value(member, append, sort_keys)
            separator = ","
        append("]" if value else "[]")
    else:
        append(json.dumps(value, ensure_ascii=False))


def _object_without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) < len(pairs):
        duplicate, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise InvalidJson(f"An object has the name {json.dumps(duplicate[:64])} twice")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidJson(f"Not valid JSON: {name} is no JSON number")


def _describe_position(error: json.JSONDecodeError) -> str:
    """Describe where parsing fails; the parser's own words differ between versions of Python."""
    if error.doc.startswith("\ufeff"):
        return ": it begins with a byte order mark"
    return f" at character {error.pos}" if error.pos < len(error.doc) else ": it ends too early"


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        members = (m.values() if isinstance(m, dict) else m for m in level if isinstance(m, dict | list))
        level = [member for each in members for member in each if isinstance(member, dict | list)]
        if not level:
            return
    raise InvalidJson(_TOO_DEEP_TEXT)


def _refuse_lone_surrogates(value: object) -> None:
    try:
        dumps(value).encode()
    except UnicodeEncodeError as error:
        raise InvalidJson("Text with a lone surrogate is not valid Unicode") from error
