"""Request bodies and parameters to the inputs of operations; wrong types are reported along with broken rules."""

import hashlib
import re
from collections.abc import Mapping
from itertools import islice
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from scheduling.api.http import Request
from scheduling.domain import exact_json
from scheduling.domain.errors import BodyTooLarge, RulesViolated, ScheduleNotFound, ValidationFailed
from scheduling.domain.ids import ScheduleId, parse_schedule_id
from scheduling.domain.install import Limits
from scheduling.domain.requests.fields import PAYLOAD_TOO_LARGE_TEXT
from scheduling.domain.requests.idempotency import IdempotencyKey
from scheduling.domain.rules import ScheduleFields, ScheduleInput

_TYPE_ERROR_TEXTS = {
    "missing": "is required",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "dict_type": "must be an object",
    "list_type": "must be an array",
    "model_type": "must be an object",
}
MAX_ESCAPE_LENGTH = 6
"""Bytes of JSON's longest escape of a one-byte character, such as `\\u0041`."""
MAX_OTHER_FIELDS_BYTES = 20_000
"""Bytes of a body besides what it is for. All other fields of a schedule, escaped, take less than half of them."""
_MAX_ERRORS, _MAX_FIELD_NAME_LENGTH = 20, 64
_ETAG_PATTERN = re.compile(r'"(\d{1,15})"')


class ScheduleBody(BaseModel):
    """The fields of a schedule in a body, of the types that the rules take."""

    model_config = ConfigDict(strict=True, extra="forbid")

    endpoint: str = ""
    cron: str = ""
    timezone: str | None = None
    enabled: bool = True
    name: str | None = None
    payload: Any = None
    pauseAfterFailures: Any = None  # noqa: N815 - the contract's name
    spreadMinutes: Any = None  # noqa: N815


def max_schedule_body_bytes(limits: Limits) -> int:
    """Return the size of the largest body with a valid schedule: each byte of its payload may be escaped."""
    return MAX_ESCAPE_LENGTH * limits.max_payload_bytes + MAX_OTHER_FIELDS_BYTES


def parse_schedule_body(request: Request, limits: Limits) -> dict[str, object]:
    """Parse the body of a request about a schedule.

    Raises:
        RulesViolated: It is larger than any with a valid schedule, and has not been parsed.
        ValidationFailed: It is not a JSON object.
    """
    try:
        return request.parse_json_body(max_schedule_body_bytes(limits))
    except BodyTooLarge as error:
        raise RulesViolated.from_field_errors({"payload": PAYLOAD_TOO_LARGE_TEXT}) from error


def parse_schedule_input(body: Mapping[str, object]) -> ScheduleInput:
    """Return the fields of a create or an update, with an error for each unknown one and each of a wrong type."""
    errors = find_type_errors(ScheduleBody, body)
    fields = {name: body[name] for name in ScheduleBody.model_fields if name in body and name not in errors}
    return ScheduleInput(cast(ScheduleFields, fields), errors)


def find_type_errors(
    model: type[BaseModel], body: Mapping[str, object], *, prefix: str = ""
) -> dict[str, str]:
    """Return an error text for each field that the model refuses.

    A nested field is named by its path, and each name starts with `prefix`.
    """
    known_fields = {name: body[name] for name in model.model_fields if name in body}
    errors = _find_errors_of_known_fields(model, known_fields)
    if model.model_config.get("extra") == "forbid":
        # Not left to pydantic, which makes an error of some 2 KB for each unknown name, however many there are.
        unknown_names = (name for name in body if name not in known_fields)
        errors += [(name, "is not a known field") for name in islice(unknown_names, _MAX_ERRORS)]
    shortened = ((prefix + _shorten_name(name), text) for name, text in errors[:_MAX_ERRORS])
    return {name: f"{name} {text}" for name, text in shortened}


def _find_errors_of_known_fields(
    model: type[BaseModel], fields: Mapping[str, object]
) -> list[tuple[str, str]]:
    try:
        model.model_validate(fields)
    except ValidationError as validation_error:
        details = validation_error.errors(include_url=False, include_context=False, include_input=False)
        return [
            (
                ".".join(map(str, error["loc"])),
                _TYPE_ERROR_TEXTS.get(error["type"], f"is not valid: {error['msg']}"),
            )
            for error in details[:_MAX_ERRORS]
        ]
    return []


def _shorten_name(name: str) -> str:
    """Cut a field name that the caller chose, so that the response stays small."""
    return name if len(name) <= _MAX_FIELD_NAME_LENGTH else f"{name[:_MAX_FIELD_NAME_LENGTH]}…"


def schedule_id_from_body(body: Mapping[str, object]) -> ScheduleId:
    """Return the schedule id of a callback's body.

    Raises:
        ValidationFailed: There is none, or no schedule can have it.
    """
    value = body.get("scheduleId")
    if value is None:
        raise ValidationFailed.from_field_errors({"scheduleId": "scheduleId is required"})
    schedule_id = parse_schedule_id(value.strip()) if isinstance(value, str) else None
    if schedule_id is None:
        raise ValidationFailed.from_field_errors({"scheduleId": "Invalid scheduleId"})
    return schedule_id


def schedule_id_from_path(text: str) -> ScheduleId:
    """Return the schedule id of a path.

    Raises:
        ScheduleNotFound: No schedule can have this id.
    """
    schedule_id = parse_schedule_id(text)
    if schedule_id is None:
        raise ScheduleNotFound
    return schedule_id


def queried_schedule(request: Request) -> ScheduleId | None:
    """Return the schedule that the query names, or None.

    Raises:
        ValidationFailed: No schedule can have this id.
    """
    text = request.query_parameter("schedule")
    schedule_id = parse_schedule_id(text) if text is not None else None
    if text is not None and schedule_id is None:
        raise ValidationFailed.from_field_errors({"schedule": "schedule must be a UUID of version 1 to 5"})
    return schedule_id


def parse_create(request: Request, body: Mapping[str, object]) -> tuple[ScheduleInput, IdempotencyKey | None]:
    """Return the fields of a create and its idempotency key; an invalid key is one more error of the input."""
    schedule_input = parse_schedule_input(body)
    try:
        return schedule_input, parse_idempotency_key(request.header("idempotency-key"), body)
    except ValidationFailed as error:
        errors = {**schedule_input.errors, **error.field_errors}
        return ScheduleInput(schedule_input.fields, errors), None


def parse_idempotency_key(header: str | None, body: Mapping[str, object]) -> IdempotencyKey | None:
    """Return the key with a hash of the body that spacing and the order of names do not change.

    Raises:
        ValidationFailed: The key is empty or too long.
    """
    key = parse_idempotency_header(header)
    if key is None:
        return None
    canonical = exact_json.dumps(body, sort_keys=True)
    return IdempotencyKey(key, hashlib.sha256(canonical.encode()).hexdigest())


def parse_idempotency_header(header: str | None) -> str | None:
    """Return the key of a request without a body.

    Raises:
        ValidationFailed: The key is empty or too long.
    """
    if header is not None and not 1 <= len(header) <= 64:
        raise ValidationFailed.from_field_errors(
            {"Idempotency-Key": "Idempotency-Key must be 1 to 64 characters"}
        )
    return header


def parse_if_match(header: str | None) -> frozenset[int] | None:
    """Return the revisions that the header admits, or None for any. A weak tag never matches (RFC 9110)."""
    if header is None or header.strip() == "*":
        return None
    tags = (_ETAG_PATTERN.fullmatch(tag.strip()) for tag in header.split(","))
    return frozenset(int(tag[1]) for tag in tags if tag)
