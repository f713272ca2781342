"""Request bodies and parameters to the inputs of operations; wrong types are reported along with broken rules."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from scheduling.domain import exact_json
from scheduling.domain.errors import ScheduleNotFound, ValidationFailed
from scheduling.domain.ids import ScheduleId, parse_schedule_id
from scheduling.domain.rules import SCHEDULE_FIELDS, ScheduleFields, ScheduleInput
from scheduling.domain.schedule import IdempotencyKey

_TYPE_ERROR_TEXTS = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "dict_type": "must be an object",
    "list_type": "must be an array",
    "model_type": "must be an object",
}
_MAX_ERRORS, _MAX_FIELD_NAME_LENGTH = 20, 64
_ETAG_PATTERN = re.compile(r'"(\d{1,15})"')


class _ScheduleBody(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    endpoint: str = ""
    cron: str = ""
    timezone: str | None = None
    enabled: bool = True
    name: str | None = None
    payload: Any = None


def parse_schedule_input(body: Mapping[str, object]) -> ScheduleInput:
    """Return the fields of a create or an update, with an error for each unknown one and each of a wrong type."""
    errors = find_type_errors(_ScheduleBody, body)
    fields = {name: body[name] for name in SCHEDULE_FIELDS if name in body and name not in errors}
    return ScheduleInput(cast(ScheduleFields, fields), errors)


def find_type_errors(
    model: type[BaseModel], body: Mapping[str, object], *, prefix: str = ""
) -> dict[str, str]:
    """Return an error text for each field that the model refuses.

    A nested field is named by its path, and each name starts with `prefix`.
    """
    try:
        model.model_validate(body)
    except ValidationError as validation_error:
        details = validation_error.errors(include_url=False, include_context=False, include_input=False)
        named_errors = (
            (prefix + _shorten_name(".".join(map(str, error["loc"]))), error)
            for error in details[:_MAX_ERRORS]
        )
        return {
            name: f"{name} {_TYPE_ERROR_TEXTS.get(e['type'], 'is not valid: ' + e['msg'])}"
            for name, e in named_errors
        }
    return {}


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
