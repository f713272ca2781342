"""JSON taken apart and put together by its text, so that what lies inside stays exactly as it was written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

_WHITESPACE = " \t\n\r"


@dataclass(frozen=True, slots=True)
class RawJson:
    """A JSON value as text."""

    text: str


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


# Numbers stay text: an integer of 5000 digits is valid JSON, though Python would not convert it.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse_constant)


def raw_value(text: str) -> RawJson:
    """The one JSON value in `text`. Raises ValueError where it is none."""
    stripped = text.strip(_WHITESPACE)
    if _end(stripped, 0) != len(stripped):
        raise ValueError("text follows the JSON value")
    return RawJson(stripped)


def members(text: str) -> dict[str, str]:
    """The text of each member's value in a JSON object. Raises ValueError where `text` is no object."""
    found = {}
    text, at = _opened(text, "{")
    while text[at] != "}":
        key_end = _end(text, at)
        start = _skip(text, key_end, ":")
        end = _end(text, start)
        found[json.loads(text[at:key_end])] = text[start:end]
        at = _skip(text, end, ",")
    return found


def elements(text: str) -> list[str]:
    """The text of each element in a JSON array. Raises ValueError where `text` is no array."""
    found = []
    text, at = _opened(text, "[")
    while text[at] != "]":
        end = _end(text, at)
        found.append(text[at:end])
        at = _skip(text, end, ",")
    return found


def dump_object(fields: Mapping[str, object]) -> str:
    """A JSON object of `fields`; a RawJson goes in as it is."""
    return "{" + ",".join(f"{json.dumps(name)}:{_dump(value)}" for name, value in fields.items()) + "}"


def _dump(value: object) -> str:
    return value.text if isinstance(value, RawJson) else json.dumps(value)


def _end(text: str, start: int) -> int:
    try:
        return _DECODER.raw_decode(text, start)[1]
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error


def _opened(text: str, mark: str) -> tuple[str, int]:
    """The text, once it is known to be JSON, and where its first part may begin."""
    value = raw_value(text).text
    if value[0] != mark:
        raise ValueError(f"the JSON does not begin with {mark}")
    return value, _skip(value, 1)


def _skip(text: str, at: int, mark: str = "") -> int:
    """Where the next part begins, behind white space and `mark`."""
    while text[at] in _WHITESPACE + mark:
        at += 1
    return at
