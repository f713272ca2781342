"""WIT records, and the schedules and endpoints of the callback API as such."""

import json

from wasmtime.component import Record

from runner.raw_json import parse_elements, parse_members

_SCHEDULE_FIELDS = {
    "id": "id",
    "endpoint_path": "endpointPath",
    "endpoint_method": "endpointMethod",
    "name": "name",
    "cron": "cron",
    "timezone": "timezone",
    "enabled": "enabled",
    "last_run_at": "lastRunAt",
    "last_run_status": "lastRunStatus",
    "last_error": "lastError",
    "created_at": "createdAt",
}
_ENDPOINT_FIELDS = {name: name for name in ("id", "method", "path", "handler", "schedulable")}


def build_record(**fields: object) -> Record:
    """A WIT record; its field names are kebab-case."""
    result = Record()
    for name, value in fields.items():
        setattr(result, name.replace("_", "-"), value)
    return result


def parse_member(fields: dict[str, str], name: str) -> object:
    """The value of a member by its text; None where it is absent."""
    return json.loads(fields.get(name, "null"))


def parse_schedules(body: str) -> list[Record]:
    """The schedules of a `list` answer. Raises ValueError or LookupError where it is no such answer."""
    return [_parse_schedule(text) for text in parse_elements(parse_members(body)["schedules"])]


def parse_optional_schedule(body: str) -> Record | None:
    """The schedule of a `get` answer; raises as `schedules` does."""
    text = parse_members(body)["schedule"]
    return None if text == "null" else _parse_schedule(text)


def parse_endpoints(body: str) -> list[Record]:
    """The endpoints of a `getEndpoints` answer; raises as `schedules` does."""
    endpoint_members = map(parse_members, parse_elements(parse_members(body)["endpoints"]))
    return [
        build_record(**{name: parse_member(fields, key) for name, key in _ENDPOINT_FIELDS.items()})
        for fields in endpoint_members
    ]


def _parse_schedule(text: str) -> Record:
    fields = parse_members(text)
    payload = fields.get("payload", "null")
    return build_record(
        **{name: parse_member(fields, key) for name, key in _SCHEDULE_FIELDS.items()},
        payload=None if payload == "null" else payload,
    )
