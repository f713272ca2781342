"""Event patterns, as filter criteria of event source mappings have them."""

from __future__ import annotations

import json
from typing import Any

from local.errors import StackError

Pattern = dict[str, Any]


def parse_pattern(text: str) -> Pattern:
    """Parse a pattern of nested objects whose leaves are lists of what a value may be.

    :raises StackError: at what AWS may know and this does not
    """
    pattern: Pattern = json.loads(text)
    _require_known(pattern)
    return pattern


def matches(pattern: Pattern, event: Any) -> bool:
    """Whether the event has a value for each of the pattern's leaves, and that is one of the leaf's."""
    if not isinstance(event, dict):
        return False
    for name, wanted in pattern.items():
        if isinstance(wanted, dict):
            if not matches(wanted, event.get(name)):
                return False
        elif name not in event or not any(_is(each, event[name]) for each in wanted):
            return False
    return True


def _is(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(value, str) and value.startswith(wanted["prefix"])
    return bool(wanted == value)


def _require_known(pattern: Any) -> None:
    for wanted in pattern.values():
        if isinstance(wanted, dict):
            _require_known(wanted)
        elif unknown := [each for each in wanted if isinstance(each, dict) and each.keys() != {"prefix"}]:
            raise StackError(f"the local stack has no rule for the pattern {json.dumps(unknown[0])}")
