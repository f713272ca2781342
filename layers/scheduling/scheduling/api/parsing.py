"""Bodies and parameters to the operations' inputs; what is of the wrong type is reported with the broken rules."""

import base64
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from scheduling.api.http import Answer, Request, answer
from scheduling.api.rendering import compact, install_fields
from scheduling.domain import exact_json
from scheduling.domain.errors import ScheduleNotFound, ValidationFailed
from scheduling.domain.ids import ScheduleId, admin, parse_install_id, parse_schedule_id
from scheduling.domain.install import Version
from scheduling.domain.rules import FIELDS, ScheduleFields, ScheduleInput
from scheduling.domain.runs import parse_manual_time, parse_time
from scheduling.domain.schedule import IdempotencyKey
from scheduling.operations.installs.register import Put, Registered
from scheduling.operations.installs.tenants import Place, Turned

MAX_PAGE = 50
_TEXTS = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "dict_type": "must be an object",
    "list_type": "must be an array",
    "model_type": "must be an object",
}
_MOST_ERRORS, _LONGEST_NAME = 20, 64
_ETAG = re.compile(r'"(\d{1,15})"')


class _ScheduleBody(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    endpoint: str = ""
    cron: str = ""
    timezone: str = ""
    enabled: bool = True
    name: str | None = None
    payload: Any = None


def schedule_input(body: Mapping[str, object]) -> ScheduleInput:
    """The fields of a create or an update."""
    errors = type_errors(_ScheduleBody, body)
    fields = {name: body[name] for name in FIELDS if name in body and name not in errors}
    return ScheduleInput(cast(ScheduleFields, fields), errors)


def type_errors(model: type[BaseModel], body: Mapping[str, object]) -> dict[str, str]:
    """What is wrong with each field by the model; a nested one is named by its path."""
    try:
        model.model_validate(body)
    except ValidationError as invalid:
        found = invalid.errors(include_url=False, include_context=False, include_input=False)
        named = ((_shown(".".join(map(str, error["loc"]))), error) for error in found[:_MOST_ERRORS])
        return {name: f"{name} {_TEXTS.get(e['type'], 'is not valid: ' + e['msg'])}" for name, e in named}
    return {}


def refuse_unknown(body: Mapping[str, object], known: Collection[str]) -> None:
    """Raises ValidationFailed that names each field of the body that is not known."""
    names = [_shown(name) for name in body if name not in known][:_MOST_ERRORS]
    if names:
        raise ValidationFailed.of({name: f"{name} is not a known field" for name in names})


def _shown(name: str) -> str:
    """A name of the caller's own making, cut so that the answer stays small."""
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def required_schedule_id(body: Mapping[str, object]) -> ScheduleId:
    """Of a callback's body. Raises ValidationFailed."""
    value = body.get("scheduleId")
    if value is None:
        raise ValidationFailed.of({"scheduleId": "scheduleId is required"})
    schedule_id = parse_schedule_id(value.strip()) if isinstance(value, str) else None
    if schedule_id is None:
        raise ValidationFailed.of({"scheduleId": "Invalid scheduleId"})
    return schedule_id


def schedule_id_of(text: str) -> ScheduleId:
    """Of a path. Raises ScheduleNotFound for what no schedule can be named."""
    schedule_id = parse_schedule_id(text)
    if schedule_id is None:
        raise ScheduleNotFound
    return schedule_id


def idempotency_key(header: str | None, body: Mapping[str, object]) -> IdempotencyKey | None:
    """The key, with a hash of the body that no spacing or order of names changes. Raises ValidationFailed."""
    key = plain_idempotency_key(header)
    if key is None:
        return None
    canonical = exact_json.dumps(body, sort_keys=True)
    return IdempotencyKey(key, hashlib.sha256(canonical.encode()).hexdigest())


def plain_idempotency_key(header: str | None) -> str | None:
    """The key of a request without a body. Raises ValidationFailed."""
    if header is not None and not 1 <= len(header) <= 64:
        raise ValidationFailed.of({"Idempotency-Key": "Idempotency-Key must be 1 to 64 characters"})
    return header


def if_match(header: str | None) -> frozenset[int] | None:
    """The revisions that the header admits; None where it admits any. A weak tag never matches (RFC 9110)."""
    if header is None or header.strip() == "*":
        return None
    tags = (_ETAG.fullmatch(tag.strip()) for tag in header.split(","))
    return frozenset(int(tag[1]) for tag in tags if tag)


def page_limit(text: str | None) -> int:
    """How many a page may have, at most and by default 50. Raises ValidationFailed."""
    if text is None:
        return MAX_PAGE
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_PAGE:
        raise ValidationFailed.of({"limit": f"limit must be a whole number from 1 to {MAX_PAGE}"})
    return int(text)


def cursor_of(position: str | None) -> str | None:
    """An opaque word for a place in a list."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=") if position else None


def schedule_position(cursor: str | None) -> ScheduleId | None:
    """The schedule that a page of schedules follows. Raises ValidationFailed."""
    schedule_id = parse_schedule_id(position(cursor)) if cursor is not None else None
    if cursor is not None and schedule_id is None:
        raise ValidationFailed.of({"cursor": "Invalid cursor"})
    return schedule_id


def run_position(cursor: str | None) -> str | None:
    """The scheduled time that a page of runs precedes. Raises ValidationFailed."""
    if cursor is None:
        return None
    try:
        text = position(cursor)
        return parse_manual_time(text) if "." in text else parse_time(text)
    except ValueError:
        raise ValidationFailed.of({"cursor": "Invalid cursor"}) from None


def position(cursor: str) -> str:
    """What the cursor stands for. Raises ValidationFailed."""
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise ValidationFailed.of({"cursor": "Invalid cursor"}) from None


def put_of(request: Request) -> Put:
    """How an install is to be put, and by whom. Raises ValidationFailed."""
    missing = _chosen("onMissingEndpoint", request.query("onMissingEndpoint"), ("reject", "disable"))
    dry_run = _chosen("dryRun", request.query("dryRun"), ("false", "true"))
    return Put(by=admin(request.principal), disable_missing=missing == "disable", dry_run=dry_run == "true")


def place_of(cursor: str | None) -> Place | None:
    """The place that a page of a tenant's schedules follows. Raises ValidationFailed."""
    if cursor is None:
        return None
    install, _, schedule = position(cursor).partition(" ")
    install_id, schedule_id = parse_install_id(install), parse_schedule_id(schedule)
    if install_id is None or (schedule and schedule_id is None):
        raise ValidationFailed.of({"cursor": "Invalid cursor"})
    return Place(install_id, schedule_id)


def _chosen(name: str, text: str | None, choices: Sequence[str]) -> str:
    """A parameter of the query that is one of the choices, by default the first. Raises ValidationFailed."""
    if text is None:
        return choices[0]
    if text not in choices:
        raise ValidationFailed.of({name: f"{name} must be {' or '.join(choices)}"})
    return text


def cursor_of_place(place: Place | None) -> str | None:
    """An opaque word for a place in the list of a tenant's schedules."""
    return cursor_of(f"{place.install_id} {place.schedule_id or ''}" if place else None)


def one_install(status: int, registered: Registered, version: Version, *, dry_run: bool) -> Answer:
    """An install as it was put, or in a dry run would be."""
    disabled = [{"scheduleId": s.id, "endpoint": s.definition.endpoint} for s in registered.disabled]
    told = {"changed": registered.changed, "disabled": disabled, "dryRun": dry_run}
    return answer(status, compact({**install_fields(registered.install, version), **told}))


def turned(told: Turned) -> Answer:
    """A tenant paused or resumed: 200 where all of its installs have followed, else 202."""
    fields = {
        "tenantId": told.tenant.id,
        "paused": told.tenant.paused,
        "installs": told.installs,
        "complete": told.complete,
    }
    return answer(200 if told.complete else 202, compact(fields))
