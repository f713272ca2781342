"""Event patterns of the filter criteria of event source mappings."""

import json
from typing import Any

from local.errors import StackError

Pattern = dict[str, Any]


def parse_pattern(text: str) -> Pattern:
    """Parse a pattern: nested objects whose leaves are lists of allowed values.

    Raises:
        StackError: The pattern has an operator that only AWS supports.
    """
    pattern: Pattern = json.loads(text)
    _require_supported(pattern)
    return pattern


def matches_pattern(pattern: Pattern, event: Any) -> bool:
    """Return whether the event has an allowed value for each leaf of the pattern."""
    if not isinstance(event, dict):
        return False
    for name, expected in pattern.items():
        if isinstance(expected, dict):
            if not matches_pattern(expected, event.get(name)):
                return False
        elif name not in event or not any(
            _matches_value(alternative, event[name]) for alternative in expected
        ):
            return False
    return True


def _matches_value(expected: Any, value: Any) -> bool:
    if isinstance(expected, dict):
        return isinstance(value, str) and value.startswith(expected["prefix"])
    return bool(expected == value)


def _require_supported(pattern: Any) -> None:
    for expected in pattern.values():
        if isinstance(expected, dict):
            _require_supported(expected)
        elif unsupported := [
            alternative
            for alternative in expected
            if isinstance(alternative, dict) and alternative.keys() != {"prefix"}
        ]:
            raise StackError(f"the local stack has no rule for the pattern {json.dumps(unsupported[0])}")
