"""Bodies and parameters to the operations' inputs; what is of the wrong type is reported with the broken rules."""

import base64
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from scheduling.api.http import Request, Response, json_response
from scheduling.api.rendering import dump_json, install_fields
from scheduling.domain import exact_json
from scheduling.domain.errors import ScheduleNotFound, ValidationFailed
from scheduling.domain.ids import ScheduleId, admin_actor, parse_install_id, parse_schedule_id
from scheduling.domain.install import Version
from scheduling.domain.rules import SCHEDULE_FIELDS, ScheduleFields, ScheduleInput
from scheduling.domain.runs import parse_manual_time, parse_time
from scheduling.domain.schedule import IdempotencyKey
from scheduling.operations.installs.register import PutOptions, PutResult
from scheduling.operations.installs.tenants import PauseResult, TenantCursor

MAX_PAGE_SIZE = 50
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
    timezone: str = ""
    enabled: bool = True
    name: str | None = None
    payload: Any = None


def parse_schedule_input(body: Mapping[str, object]) -> ScheduleInput:
    """The fields of a create or an update."""
    errors = find_type_errors(_ScheduleBody, body)
    fields = {name: body[name] for name in SCHEDULE_FIELDS if name in body and name not in errors}
    return ScheduleInput(cast(ScheduleFields, fields), errors)


def find_type_errors(model: type[BaseModel], body: Mapping[str, object]) -> dict[str, str]:
    """What is wrong with each field by the model; a nested one is named by its path."""
    try:
        model.model_validate(body)
    except ValidationError as validation_error:
        details = validation_error.errors(include_url=False, include_context=False, include_input=False)
        named_errors = (
            (_shorten_name(".".join(map(str, error["loc"]))), error) for error in details[:_MAX_ERRORS]
        )
        return {
            name: f"{name} {_TYPE_ERROR_TEXTS.get(e['type'], 'is not valid: ' + e['msg'])}"
            for name, e in named_errors
        }
    return {}


def refuse_unknown_fields(body: Mapping[str, object], allowed: Collection[str]) -> None:
    """Raises ValidationFailed that names each field of the body that is not known."""
    names = [_shorten_name(name) for name in body if name not in allowed][:_MAX_ERRORS]
    if names:
        raise ValidationFailed.from_field_errors({name: f"{name} is not a known field" for name in names})


def _shorten_name(name: str) -> str:
    """A name of the caller's own making, cut so that the answer stays small."""
    return name if len(name) <= _MAX_FIELD_NAME_LENGTH else f"{name[:_MAX_FIELD_NAME_LENGTH]}…"


def schedule_id_from_body(body: Mapping[str, object]) -> ScheduleId:
    """Of a callback's body. Raises ValidationFailed."""
    value = body.get("scheduleId")
    if value is None:
        raise ValidationFailed.from_field_errors({"scheduleId": "scheduleId is required"})
    schedule_id = parse_schedule_id(value.strip()) if isinstance(value, str) else None
    if schedule_id is None:
        raise ValidationFailed.from_field_errors({"scheduleId": "Invalid scheduleId"})
    return schedule_id


def schedule_id_from_path(text: str) -> ScheduleId:
    """Of a path. Raises ScheduleNotFound for what no schedule can be named."""
    schedule_id = parse_schedule_id(text)
    if schedule_id is None:
        raise ScheduleNotFound
    return schedule_id


def parse_idempotency_key(header: str | None, body: Mapping[str, object]) -> IdempotencyKey | None:
    """The key, with a hash of the body that no spacing or order of names changes. Raises ValidationFailed."""
    key = parse_idempotency_header(header)
    if key is None:
        return None
    canonical = exact_json.dumps(body, sort_keys=True)
    return IdempotencyKey(key, hashlib.sha256(canonical.encode()).hexdigest())


def parse_idempotency_header(header: str | None) -> str | None:
    """The key of a request without a body. Raises ValidationFailed."""
    if header is not None and not 1 <= len(header) <= 64:
        raise ValidationFailed.from_field_errors(
            {"Idempotency-Key": "Idempotency-Key must be 1 to 64 characters"}
        )
    return header


def parse_if_match(header: str | None) -> frozenset[int] | None:
    """The revisions that the header admits; None where it admits any. A weak tag never matches (RFC 9110)."""
    if header is None or header.strip() == "*":
        return None
    tags = (_ETAG_PATTERN.fullmatch(tag.strip()) for tag in header.split(","))
    return frozenset(int(tag[1]) for tag in tags if tag)


def parse_page_limit(text: str | None) -> int:
    """How many a page may have, at most and by default 50. Raises ValidationFailed."""
    if text is None:
        return MAX_PAGE_SIZE
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_PAGE_SIZE:
        raise ValidationFailed.from_field_errors(
            {"limit": f"limit must be a whole number from 1 to {MAX_PAGE_SIZE}"}
        )
    return int(text)


def encode_cursor(position: str | None) -> str | None:
    """An opaque word for a place in a list."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=") if position else None


def parse_schedule_cursor(cursor: str | None) -> ScheduleId | None:
    """The schedule that a page of schedules follows. Raises ValidationFailed."""
    schedule_id = parse_schedule_id(decode_cursor(cursor)) if cursor is not None else None
    if cursor is not None and schedule_id is None:
        raise ValidationFailed.from_field_errors({"cursor": "Invalid cursor"})
    return schedule_id


def parse_run_cursor(cursor: str | None) -> str | None:
    """The scheduled time that a page of runs precedes. Raises ValidationFailed."""
    if cursor is None:
        return None
    try:
        text = decode_cursor(cursor)
        return parse_manual_time(text) if "." in text else parse_time(text)
    except ValueError:
        raise ValidationFailed.from_field_errors({"cursor": "Invalid cursor"}) from None


def decode_cursor(cursor: str) -> str:
    """What the cursor stands for. Raises ValidationFailed."""
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise ValidationFailed.from_field_errors({"cursor": "Invalid cursor"}) from None


def parse_put_options(request: Request) -> PutOptions:
    """How an install is to be put, and by whom. Raises ValidationFailed."""
    on_missing_endpoint = _parse_choice(
        "onMissingEndpoint", request.query_parameter("onMissingEndpoint"), ("reject", "disable")
    )
    dry_run = _parse_choice("dryRun", request.query_parameter("dryRun"), ("false", "true"))
    return PutOptions(
        actor=admin_actor(request.principal),
        disable_missing=on_missing_endpoint == "disable",
        dry_run=dry_run == "true",
    )


def parse_tenant_cursor(cursor: str | None) -> TenantCursor | None:
    """The place that a page of a tenant's schedules follows. Raises ValidationFailed."""
    if cursor is None:
        return None
    install_text, _, schedule_text = decode_cursor(cursor).partition(" ")
    install_id, schedule_id = parse_install_id(install_text), parse_schedule_id(schedule_text)
    if install_id is None or (schedule_text and schedule_id is None):
        raise ValidationFailed.from_field_errors({"cursor": "Invalid cursor"})
    return TenantCursor(install_id, schedule_id)


def _parse_choice(name: str, text: str | None, choices: Sequence[str]) -> str:
    """A parameter of the query that is one of the choices, by default the first. Raises ValidationFailed."""
    if text is None:
        return choices[0]
    if text not in choices:
        raise ValidationFailed.from_field_errors({name: f"{name} must be {' or '.join(choices)}"})
    return text


def encode_tenant_cursor(cursor: TenantCursor | None) -> str | None:
    """An opaque word for a place in the list of a tenant's schedules."""
    return encode_cursor(f"{cursor.install_id} {cursor.schedule_id or ''}" if cursor else None)


def install_response(status: int, result: PutResult, version: Version, *, dry_run: bool) -> Response:
    """An install as it was put, or in a dry run would be."""
    disabled = [{"scheduleId": s.id, "endpoint": s.definition.endpoint} for s in result.disabled_schedules]
    result_fields = {"changed": result.changed, "disabled": disabled, "dryRun": dry_run}
    return json_response(status, dump_json({**install_fields(result.install, version), **result_fields}))


def pause_response(result: PauseResult) -> Response:
    """A tenant paused or resumed: 200 where all of its installs have followed, else 202."""
    fields = {
        "tenantId": result.tenant.id,
        "paused": result.tenant.paused,
        "installs": result.install_count,
        "complete": result.complete,
    }
    return json_response(200 if result.complete else 202, dump_json(fields))
