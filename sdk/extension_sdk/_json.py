"""JSON as RFC 8259 has it, nested no deeper than the scheduler takes it.

The standard library's parser and encoder recurse, and a component whose stack is exhausted ends without an exception.
"""

import json
import re
from typing import Any

MAX_DEPTH = 256
_TOO_DEEP_TEXT = f"nested deeper than {MAX_DEPTH} levels"
# A string, also one that does not end, or a bracket.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\Z)|[\[{]|[]}]', re.DOTALL)


def load_json(text: str | bytes) -> Any:
    """Parse JSON text.

    Raises:
        ValueError: It is no JSON, or nested deeper than 256 levels.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth_of_text(text)
    return json.loads(text)


def dump_json(value: object) -> str:
    """Return the value as JSON text.

    Raises:
        TypeError: It has something that JSON does not have, such as a datetime.
        ValueError: It has NaN or an infinite number, or is nested deeper than 256 levels or in a circle.
    """
    _check_depth(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _check_depth_of_text(text: str) -> None:
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > MAX_DEPTH:
            raise ValueError(_TOO_DEEP_TEXT)


def _check_depth(value: object) -> None:
    # By identity, so that a value with circles has no more containers per level than in all.
    level = {id(value): value}
    for _ in range(MAX_DEPTH):
        level = {
            id(member): member
            for container in level.values()
            for member in _list_members(container)
            if isinstance(member, dict | list | tuple)
        }
        if not level:
            return
    raise ValueError(_TOO_DEEP_TEXT)


def _list_members(value: object) -> list[object] | tuple[object, ...]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list | tuple) else ()
