"""Conversion of the callback API's schedules and endpoints to WIT records."""

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
    """Return a WIT record of `fields`, whose names become kebab-case."""
    result = Record()
    for name, value in fields.items():
        setattr(result, name.replace("_", "-"), value)
    return result


def parse_member(fields: dict[str, str], name: str) -> object:
    """Parse the text of a member; return None if the member is absent."""
    return json.loads(fields.get(name, "null"))


def parse_schedules(body: str) -> list[Record]:
    """Return the schedules of a `list` response.

    Raises:
        ValueError: The text is not JSON of the expected form.
        LookupError: A member is missing.
    """
    return [_parse_schedule(text) for text in parse_elements(parse_members(body)["schedules"])]


def parse_optional_schedule(body: str) -> Record | None:
    """Return the schedule of a `get` response.

    Raises:
        ValueError: The text is not JSON of the expected form.
        LookupError: The member is missing.
    """
    text = parse_members(body)["schedule"]
    return None if text == "null" else _parse_schedule(text)


def parse_endpoints(body: str) -> list[Record]:
    """Return the endpoints of a `getEndpoints` response.

    Raises:
        ValueError: The text is not JSON of the expected form.
        LookupError: A member is missing.
    """
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
