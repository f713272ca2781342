# Copied from layers/scheduling/scheduling/domain by scripts/vendor_rules.py. Do not edit.
"""The rules of single fields of a schedule that depend on nothing else (contract, section 4)."""

import re

from extension_sdk_rules import exact_json
from extension_sdk_rules.cron.limits import MAX_SPREAD_MINUTES
from extension_sdk_rules.errors import RuleViolation

MAX_NAME_LENGTH = 128
PAYLOAD_TOO_LARGE_TEXT = "Payload too large"
MAX_PAUSE_AFTER_FAILURES = 1_000


def check_name(name: str | None) -> str | None:
    """Return the name trimmed, or None if it is empty.

    Raises:
        RuleViolation: It has more than 128 characters.
    """
    trimmed = (name or "").strip()
    if len(trimmed) > MAX_NAME_LENGTH:
        raise RuleViolation("Name too long")
    return trimmed or None


def check_payload(value: object, max_bytes: int) -> str | None:
    """Return the value as compact JSON text, with numbers as they were written.

    Raises:
        RuleViolation: It is neither an object nor an array, or is too large.
    """
    if value is None:
        return None
    if not isinstance(value, dict | list):
        raise RuleViolation("Payload must be a JSON object or array")
    text = exact_json.dumps(value)
    if len(text.encode()) > max_bytes:
        raise RuleViolation(PAYLOAD_TOO_LARGE_TEXT)
    return text


def check_pause_after_failures(value: object, stack_limit: int) -> int | None:
    """Return after how many failures in a row a schedule is paused: 0 is never, None the stack's.

    Raises:
        RuleViolation: It is no whole number from 0 to 1,000, or more than the stack's limit where that is above 0.
    """
    if value is None:
        return None
    limit = _parse_whole_number("pauseAfterFailures", value, MAX_PAUSE_AFTER_FAILURES)
    if stack_limit and not 1 <= limit <= stack_limit:
        raise RuleViolation(f"pauseAfterFailures must be from 1 to {stack_limit}, the stack's limit")
    return limit


def check_spread_minutes(value: object) -> int | None:
    """Return within how many minutes after its scheduled time a schedule fires: None is the stack's.

    Raises:
        RuleViolation: It is no whole number from 0 to 60.
    """
    return None if value is None else _parse_whole_number("spreadMinutes", value, MAX_SPREAD_MINUTES)


def _parse_whole_number(field: str, value: object, maximum: int) -> int:
    text = value.text if isinstance(value, exact_json.Number) else ""
    if not re.fullmatch(r"0|[1-9][0-9]{0,3}", text) or int(text) > maximum:
        raise RuleViolation(f"{field} must be null or a whole number from 0 to {maximum}")
    return int(text)
