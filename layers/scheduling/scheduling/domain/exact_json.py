"""JSON in and out without altering a number: `1.0`, `1e400` and 23-digit integers stay as they were written."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from scheduling.domain.errors import InvalidJson

MAX_DEPTH = 256
_TOO_DEEP_TEXT = f"Nested deeper than {MAX_DEPTH} levels"
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written."""

    text: str


def loads(text: str) -> object:
    """The value of `text`, its numbers as `Number`.

    Raises InvalidJson for what is no JSON by RFC 8259 (NaN included), for a name that an object repeats, for
    text that is not Unicode (a lone surrogate), and for nesting deeper than 256.
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


def dumps(value: object, *, sort_keys: bool = False) -> str:
    """Compact JSON text of what `loads` gave."""
    parts: list[str] = []
    _write_value(value, parts.append, sort_keys)
    return "".join(parts)


def _write_value(value: object, append: Callable[[str], None], sort_keys: bool) -> None:
    if isinstance(value, Number):
        append(value.text)
    elif isinstance(value, dict):
        separator = "{"
        for name, member in sorted(value.items()) if sort_keys else value.items():
            append(f"{separator}{json.dumps(name, ensure_ascii=False)}:")
            _write_value(member, append, sort_keys)
            separator = ","
        append("}" if value else "{}")
    elif isinstance(value, list):
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
    """Where it goes wrong; the parser's own words differ from one version of Python to the next."""
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
