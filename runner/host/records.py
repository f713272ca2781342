"""WIT records, and the schedules and endpoints of the callback API as such."""

import json

from wasmtime.component import Record

from runner.raw_json import elements, members

_SCHEDULE = {
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
_ENDPOINT = {name: name for name in ("id", "method", "path", "handler", "schedulable")}


def record(**fields: object) -> Record:
    """A WIT record; its field names are kebab-case."""
    made = Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made


def value(fields: dict[str, str], name: str) -> object:
    """The value of a member by its text; None where it is absent."""
    return json.loads(fields.get(name, "null"))


def schedules(body: str) -> list[Record]:
    """The schedules of a `list` answer. Raises ValueError or LookupError where it is no such answer."""
    return [_schedule(text) for text in elements(members(body)["schedules"])]


def schedule_or_none(body: str) -> Record | None:
    """The schedule of a `get` answer; raises as `schedules` does."""
    text = members(body)["schedule"]
    return None if text == "null" else _schedule(text)


def endpoints(body: str) -> list[Record]:
    """The endpoints of a `getEndpoints` answer; raises as `schedules` does."""
    found = map(members, elements(members(body)["endpoints"]))
    return [record(**{name: value(fields, key) for name, key in _ENDPOINT.items()}) for fields in found]


def _schedule(text: str) -> Record:
    fields = members(text)
    payload = fields.get("payload", "null")
    return record(
        **{name: value(fields, key) for name, key in _SCHEDULE.items()},
        payload=None if payload == "null" else payload,
    )
