"""Splits and builds JSON as text, so that nested values stay exactly as they were written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

_WHITESPACE = " \t\n\r"


@dataclass(frozen=True, slots=True)
class RawJson:
    """A JSON value as text."""

    text: str


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


# Numbers stay text: an integer of 5000 digits is valid JSON, though Python would not convert it.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse_constant)


def parse_raw_value(text: str) -> RawJson:
    """Parse `text` as one JSON value.

    Raises:
        ValueError: The text is not a JSON value.
    """
    stripped = text.strip(_WHITESPACE)
    if _find_value_end(stripped, 0) != len(stripped):
        raise ValueError("text follows the JSON value")
    return RawJson(stripped)


def parse_members(text: str) -> dict[str, str]:
    """Return the text of each member's value in a JSON object.

    Raises:
        ValueError: The text is not a JSON object.
    """
    member_texts = {}
    text, position = _open_container(text, "{")
    while text[position] != "}":
        key_end = _find_value_end(text, position)
        start = _skip_separators(text, key_end, ":")
        end = _find_value_end(text, start)
        member_texts[json.loads(text[position:key_end])] = text[start:end]
        position = _skip_separators(text, end, ",")
    return member_texts


def parse_elements(text: str) -> list[str]:
    """Return the text of each element in a JSON array.

    Raises:
        ValueError: The text is not a JSON array.
    """
    element_texts = []
    text, position = _open_container(text, "[")
    while text[position] != "]":
        end = _find_value_end(text, position)
        element_texts.append(text[position:end])
        position = _skip_separators(text, end, ",")
    return element_texts


def dump_object(fields: Mapping[str, object]) -> str:
    """Return a JSON object of `fields`; a RawJson is inserted unchanged."""
    return "{" + ",".join(f"{json.dumps(name)}:{_dump_value(value)}" for name, value in fields.items()) + "}"


def _dump_value(value: object) -> str:
    return value.text if isinstance(value, RawJson) else json.dumps(value)


def _find_value_end(text: str, start: int) -> int:
    try:
        return _DECODER.raw_decode(text, start)[1]
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error


def _open_container(text: str, opening: str) -> tuple[str, int]:
    """Return the stripped text, checked to be JSON, and the position of its first member or element."""
    value = parse_raw_value(text).text
    if value[0] != opening:
        raise ValueError(f"the JSON does not begin with {opening}")
    return value, _skip_separators(value, 1)


def _skip_separators(text: str, position: int, separator: str = "") -> int:
    """Return the position after white space and `separator`."""
    while text[position] in _WHITESPACE + separator:
        position += 1
    return position
