"""The error of a result, as the host interface returns it."""

import json
import re
from collections.abc import Mapping
from typing import Any

# A deployed runner drops the body of an error response, and returns the bare case as Rust prints it.
_BARE_CASE = re.compile(r'SchedulerError \{ code: \d+, name: "([a-z-]+)", message: "(.*)" \}', re.DOTALL)
_REASONS = {
    "not-found": "the install is unknown or disabled",
    "validation-failed": "a rule of schedules is broken, a quota is reached or the schedule does not exist",
    "quota-exceeded": "too many changes in a minute",
    "denied": "the capability cap:scheduler.manage is not granted",
    "internal": "the scheduler failed or did not respond",
}


def parse_outcome(error: str | None, field_errors: str | None) -> Mapping[str, Any]:
    """Return the fields that every result of a refused change has.

    Args:
        error: The text of the host interface.
        field_errors: A JSON object of field and text.
    """
    invalid_fields = json.loads(field_errors) if field_errors else {}
    bare_case = _BARE_CASE.fullmatch(error or "")
    if not bare_case:
        return {"error": error or "The scheduler returned no reason", "field_errors": invalid_fields}
    code, message = bare_case.groups()
    reason = message or f"the runner gave no reason: {_REASONS.get(code, code)} ({code})"
    return {"error": reason, "field_errors": invalid_fields, "code": code}
