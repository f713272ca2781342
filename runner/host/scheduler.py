"""The host interface `scheduler`: WIT values on one side, the callback API's operations on the other."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

from wasmtime.component import Record

from runner.host.callback import Answer
from runner.host.records import endpoints, record, schedule_or_none, schedules, value
from runner.raw_json import dump_object, members, raw_value

log = logging.getLogger(__name__)

T = TypeVar("T")

CAPABILITY = "cap:scheduler.manage"
DENIED = f"Permission denied: {CAPABILITY} not granted"
UNAVAILABLE = "The scheduler did not answer"
INPUT_FIELDS = ("endpoint", "cron", "timezone", "enabled", "name", "payload")
SCHEDULER_ERRORS = {
    400: "validation-failed",
    401: "denied",
    403: "denied",
    404: "not-found",
    429: "quota-exceeded",
}


class Scheduler:
    """The interface for one execution; `post` is None where the extension may not schedule."""

    def __init__(self, post: Callable[[str], Answer | None] | None) -> None:
        self._post = post

    def list_schedules(self) -> list[Record] | str:
        """All schedules of the install, or the error."""
        return self._read({"operation": "list"}, schedules)

    def get_schedule(self, schedule_id: str) -> Record | str | None:
        """The schedule, None where the install has no such one, or the error."""
        return self._read({"operation": "get", "scheduleId": schedule_id}, schedule_or_none)

    def get_endpoints(self) -> list[Record] | str:
        """The endpoints of the installed version, or the error."""
        return self._read({"operation": "getEndpoints"}, endpoints)

    def create_schedule(self, given: Record) -> Record:
        """Create a schedule."""
        return self._write({"operation": "create"}, given)

    def update_schedule(self, schedule_id: str, given: Record) -> Record:
        """Change what is given; an empty name or payload is cleared."""
        operation = {"operation": "update", "scheduleId": schedule_id}
        return self._write(operation, given, clearable=("name", "payload"))

    def delete_schedule(self, schedule_id: str) -> Record:
        """Delete a schedule."""
        return self._write({"operation": "delete", "scheduleId": schedule_id}, Record())

    def _read(self, operation: Mapping[str, object], parse: Callable[[str], T]) -> T | str:
        if self._post is None:
            return "denied"
        answer = self._post(dump_object(operation))
        if answer is None:
            return "internal"
        if answer.status != 200:
            return SCHEDULER_ERRORS.get(answer.status, "internal")
        try:
            return parse(answer.body)
        except (ValueError, LookupError):
            log.exception("the scheduler's answer is not the contract's")
            return "internal"

    def _write(
        self, operation: Mapping[str, object], given: Record, clearable: tuple[str, ...] = ()
    ) -> Record:
        if self._post is None:
            return _result(error=DENIED)
        try:
            body = dump_object({**operation, **_fields(given, clearable)})
        except ValueError as error:
            return _result(
                error="Payload is not valid JSON",
                field_errors=json.dumps({"payload": f"Not valid JSON: {error}"}),
            )
        answer = self._post(body)
        return _result(error=UNAVAILABLE) if answer is None else _written(answer)


def _fields(given: Record, clearable: tuple[str, ...]) -> dict[str, object]:
    """The members of a request for an input record; raises ValueError where the payload is not JSON."""
    fields: dict[str, object] = {}
    for name in INPUT_FIELDS:
        field = getattr(given, name, None)
        if field == "" and name in clearable:
            fields[name] = None
        elif field is not None:
            fields[name] = raw_value(field) if name == "payload" else field
    return fields


def _written(answer: Answer) -> Record:
    try:
        body = members(answer.body)
    except ValueError:
        body = {}
    if 200 <= answer.status < 300 and value(body, "success") is True:
        return _result(schedule_id=value(body, "scheduleId"))
    error = value(body, "error")
    return _result(
        error=error if isinstance(error, str) else f"The scheduler answered {answer.status}",
        field_errors=body.get("fieldErrors"),
    )


def _result(
    *, error: str | None = None, field_errors: str | None = None, schedule_id: object = None
) -> Record:
    return record(success=error is None, error=error, field_errors=field_errors, schedule_id=schedule_id)
