"""Checks of the values that cross the component's boundary.

A value that cannot cross ends the execution without a Python error, so it is checked before.
"""

import re
from collections.abc import Mapping
from typing import Any

from extension_sdk._json import dump_json

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
MIN_STATUS, MAX_STATUS = 200, 599


def check_text(name: str, value: object) -> str:
    """Return a text that can cross the boundary.

    Raises:
        TypeError: The value is no str.
        ValueError: It has a lone surrogate, which is no Unicode character.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{name} has a lone surrogate at index {error.start}") from None
    return str.__str__(value)  # without a subclass's own __str__, such as an enum's


def check_bool(name: str, value: object) -> bool:
    """Return a bool.

    Raises:
        TypeError: The value is no bool.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be a bool, not {type(value).__name__}")
    return value


def dump_payload(value: object) -> str:
    """Return a payload as JSON text.

    Raises:
        TypeError: It has a value that JSON does not have, such as a datetime.
        ValueError: It has NaN, an infinite number or a lone surrogate, or is nested deeper than 256 levels.
    """
    try:
        text = dump_json(value)
    except TypeError as error:
        raise TypeError(f"payload is not JSON: {error}") from None
    except ValueError as error:
        raise ValueError(f"payload is not JSON: {error}") from None
    return check_text("payload", text)


def check_status(value: object) -> int:
    """Return the status of a response.

    Raises:
        TypeError: It is no int.
        ValueError: It is no final status of HTTP.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"status must be an int, not {type(value).__name__}")
    if not MIN_STATUS <= value <= MAX_STATUS:
        raise ValueError(f"status must be from {MIN_STATUS} to {MAX_STATUS}, not {value}")
    return int(value)


def check_headers(value: object) -> dict[str, str]:
    """Return the headers of a response.

    Raises:
        TypeError: They are no mapping, or a name or value is no str.
        ValueError: A name is no token of HTTP, or a value has a control character or a lone surrogate.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"headers must be a mapping, not {type(value).__name__}")
    return {_check_header_name(name): _check_header_value(name, text) for name, text in value.items()}


def check_body(value: Any) -> bytes | None:
    """Return the body of a response.

    Raises:
        TypeError: It is neither bytes nor None.
    """
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    hint = " (encode it, or return it as JSON)" if isinstance(value, str) else ""
    raise TypeError(f"body must be bytes or None, not {type(value).__name__}{hint}")


def escape_text(text: str) -> str:
    """Return a text that can cross the boundary, with each lone surrogate escaped."""
    return text.encode(errors="backslashreplace").decode()


def _check_header_name(name: object) -> str:
    text = check_text("a header's name", name)
    if not _TOKEN.fullmatch(text):
        raise ValueError(f"{text!r} is not the name of a header")
    return text


def _check_header_value(name: str, value: object) -> str:
    text = check_text(f"header {name}", value)
    if control := _CONTROL.search(text):
        raise ValueError(f"header {name} has the control character {control[0]!r}")
    return text
