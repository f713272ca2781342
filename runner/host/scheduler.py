"""The host interface `scheduler`: translates WIT calls to operations of the callback API."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

from wasmtime.component import Record

from runner.host.capabilities import SCHEDULER_MANAGE
from runner.host.records import (
    build_record,
    parse_endpoints,
    parse_member,
    parse_optional_schedule,
    parse_schedules,
)
from runner.oversized import Oversized
from runner.protocol import CallbackResponse
from runner.raw_json import dump_object, parse_members, parse_raw_value

logger = logging.getLogger(__name__)

T = TypeVar("T")

DENIED = f"Permission denied: {SCHEDULER_MANAGE} not granted"
UNAVAILABLE = "The scheduler did not answer"
MAX_FIELD_CHARS = 64 * 1024
"""The longest text, besides a payload, that is sent. The scheduler's own limits are far lower."""
TOO_LARGE = {"payload": "Payload too large", "name": "Name too long"}
"""The scheduler's texts for a field that is not sent."""
INPUT_FIELDS = ("endpoint", "cron", "timezone", "enabled", "name", "payload")
SCHEDULER_ERRORS = {
    400: "validation-failed",
    401: "denied",
    403: "denied",
    404: "not-found",
    429: "quota-exceeded",
}


class HostScheduler:
    """The interface for one execution.

    Args:
        post: Sends the body of a callback; None if the extension may not schedule.
        max_calls: How many callbacks the execution may send. Further ones are refused.
    """

    def __init__(self, post: Callable[[str], CallbackResponse | None] | None, max_calls: int) -> None:
        self._post = post
        self._max_calls = max_calls
        self._calls = 0

    def list_schedules(self) -> list[Record] | str:
        """Return all schedules of the install, or an error case."""
        return self._request_read({"operation": "list"}, parse_schedules)

    def get_schedule(self, schedule_id: str) -> Record | str | None:
        """Return the schedule, None if the install does not have it, or an error case."""
        return self._request_read({"operation": "get", "scheduleId": schedule_id}, parse_optional_schedule)

    def get_endpoints(self) -> list[Record] | str:
        """Return the endpoints of the installed version, or an error case."""
        return self._request_read({"operation": "getEndpoints"}, parse_endpoints)

    def create_schedule(self, schedule_input: Record) -> Record:
        """Create a schedule."""
        return self._request_write({"operation": "create"}, schedule_input)

    def update_schedule(self, schedule_id: str, schedule_input: Record) -> Record:
        """Update the fields that are set; an empty name or payload clears the field."""
        operation: dict[str, object] = {"operation": "update", "scheduleId": schedule_id}
        return self._request_write(operation, schedule_input, clearable=("name", "payload"))

    def delete_schedule(self, schedule_id: str) -> Record:
        """Delete a schedule."""
        return self._request_write({"operation": "delete", "scheduleId": schedule_id}, Record())

    def _request_read(self, operation: Mapping[str, object], parse: Callable[[str], T]) -> T | str:
        if self._post is None:
            return "denied"
        if _find_too_large(operation):
            return "validation-failed"
        if not self._take_call():
            return "quota-exceeded"
        response = self._post(dump_object(operation))
        if response is None:
            return "internal"
        if response.status != 200:
            return SCHEDULER_ERRORS.get(response.status, "internal")
        try:
            return parse(response.body)
        except (ValueError, LookupError) as error:
            logger.error("the scheduler's response does not match the contract: %r", error)
            return "internal"

    def _request_write(
        self, operation: dict[str, object], schedule_input: Record, clearable: tuple[str, ...] = ()
    ) -> Record:
        if self._post is None:
            return _build_result(error=DENIED)
        field = _find_too_large(operation | vars(schedule_input))
        if field:
            return _build_field_error(field, TOO_LARGE.get(field, f"{field} is too long"))
        try:
            body = dump_object({**operation, **_build_fields(schedule_input, clearable)})
        except ValueError as error:
            return _build_field_error("payload", f"Not valid JSON: {error}", "Payload is not valid JSON")
        if not self._take_call():
            return _build_result(error=f"Too many scheduler calls (max {self._max_calls} per run)")
        response = self._post(body)
        return _build_result(error=UNAVAILABLE) if response is None else _parse_write_response(response)

    def _take_call(self) -> bool:
        """Count a call, and return whether the execution may send it."""
        self._calls += 1
        return self._calls <= self._max_calls


def _find_too_large(fields: Mapping[str, object]) -> str | None:
    """Return the name of the first field that is too large to be sent, or even to be read."""
    for name, value in fields.items():
        too_long = isinstance(value, str) and name != "payload" and len(value) > MAX_FIELD_CHARS
        if too_long or isinstance(value, Oversized):
            return name
    return None


def _build_fields(schedule_input: Record, clearable: tuple[str, ...]) -> dict[str, object]:
    """Return the members of the operation for an input record.

    Raises:
        ValueError: The payload is not JSON.
    """
    fields: dict[str, object] = {}
    for name in INPUT_FIELDS:
        field = getattr(schedule_input, name, None)
        if field == "" and name in clearable:
            fields[name] = None
        elif field is not None:
            fields[name] = parse_raw_value(field) if name == "payload" else field
    return fields


def _parse_write_response(response: CallbackResponse) -> Record:
    try:
        body = parse_members(response.body)
    except ValueError:
        body = {}
    if 200 <= response.status < 300 and parse_member(body, "success") is True:
        return _build_result(schedule_id=parse_member(body, "scheduleId"))
    error = parse_member(body, "error")
    return _build_result(
        error=error if isinstance(error, str) else f"The scheduler answered {response.status}",
        field_errors=body.get("fieldErrors"),
    )


def _build_field_error(field: str, text: str, error: str | None = None) -> Record:
    return _build_result(error=error or text, field_errors=json.dumps({field: text}))


def _build_result(
    *, error: str | None = None, field_errors: str | None = None, schedule_id: object = None
) -> Record:
    return build_record(
        success=error is None, error=error, field_errors=field_errors, schedule_id=schedule_id
    )
