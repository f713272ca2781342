"""What an extension does to its schedules and what it reads: the same with the fake host and with the real API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_SCHEDULES = 3
HOURLY = ("POST /api/sync", "0 * * * *")
OTHER_ID = "5f0c8d2e-7a61-4c7e-9c1a-3b2d1e0f4a55"
"""The id of no schedule."""

NAME_TAKEN = "Schedule name already in use for this extension"
NO_ENDPOINT = "Endpoint not found or not schedulable"
TOO_FREQUENT = "Cron too frequent (minimum interval is 5 minutes)"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of `host.scheduler`; `first` in place of an id is that of the first schedule created.

    `error` is the result's text, `field_errors` its fields, by default none; `raises` the code of a SchedulerError.
    """

    function: str
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    field_errors: Mapping[str, str] = field(default_factory=dict)
    raises: str | None = None


def _create(*arguments: str, **keywords: Any) -> Call:
    return Call("create", arguments or HOURLY, keywords)


def _refused(error_field: str, error: str, *arguments: str, **keywords: Any) -> Call:
    return Call("create", arguments or HOURLY, keywords, error, {error_field: error})


def _update(**keywords: Any) -> Call:
    return Call("update", ("first",), keywords)


def _update_refused(error_field: str, error: str, **keywords: Any) -> Call:
    return Call("update", ("first",), keywords, error, {error_field: error})


CASES: dict[str, list[Call]] = {
    "create": [_create()],
    "create with all fields": [
        _create("post //api/sync", "0 9 * * mon-fri", timezone="europe/BERLIN", enabled=False, name="  n ")
    ],
    "payload with numbers and nesting": [
        _create(payload={"a": [1, 2.5, 1e300, -0.0, {"b": None}], "ü": "\n"})
    ],
    "payload: empty object": [_create(payload={})],
    "payload: empty list": [_create(payload=[])],
    "payload: text": [_refused("payload", "Payload must be a JSON object or array", payload="text")],
    "payload: number": [_refused("payload", "Payload must be a JSON object or array", payload=5)],
    "payload: false": [_refused("payload", "Payload must be a JSON object or array", payload=False)],
    "payload: too large": [_refused("payload", "Payload too large", payload=["x" * 100_000])],
    "payload: just not too large": [_create(payload=["ü" * 49_998])],
    "timezone: empty": [_create(timezone="")],
    "timezone: alias": [_create(timezone="US/Eastern")],
    "timezone: unknown": [_refused("timezone", "Invalid timezone", timezone="Europe/Nowhere")],
    "timezone: unknown to EventBridge": [_refused("timezone", "Invalid timezone", timezone="EST")],
    "name: empty": [_create(name=""), _create(name="  ")],
    "name: longest": [_create(name="x" * 128)],
    "name: too long": [_refused("name", "Name too long", name="x" * 129)],
    "name: taken": [_create(name="n"), _refused("name", NAME_TAKEN, name=" n ")],
    "name: in other case": [_create(name="n"), _create(name="N")],
    "name: taken and cron wrong": [
        _create(name="n"),
        Call(
            "create",
            ("POST /api/sync", "*/4 * * * *"),
            {"name": "n"},
            TOO_FREQUENT,
            {"cron": TOO_FREQUENT, "name": NAME_TAKEN},
        ),
    ],
    "name: free again": [_create(name="n"), _update(name=None), _create(name="n")],
    "endpoint: bare path": [_create("/api/sync", "0 * * * *")],
    "endpoint: GET of both": [_create("/api/both", "0 * * * *")],
    "endpoint: POST of both": [_create("/api/both", "0 * * * *", payload={})],
    "endpoint: unknown": [_refused("endpoint", NO_ENDPOINT, "POST /api/other", "0 * * * *")],
    "endpoint: other method": [_refused("endpoint", NO_ENDPOINT, "GET /api/sync", "0 * * * *")],
    "endpoint: path parameter": [_refused("endpoint", NO_ENDPOINT, "GET /api/items/:id", "0 * * * *")],
    "endpoint: empty": [_refused("endpoint", NO_ENDPOINT, "", "0 * * * *")],
    **{
        f"cron: {cron}": [_refused("cron", error, "POST /api/sync", cron)]
        for cron, error in {
            "*/4 9 * * *": TOO_FREQUENT,
            "*/7 * * * *": TOO_FREQUENT,
            "2,58 9,10 * * *": TOO_FREQUENT,
            "0 0 30 2 *": "Cron never fires in the next 8 years",
        }.items()
    },
    "cron: tabs and names": [_create("POST /api/sync", "0\t9  * jan,DEC  sun")],
    "update of each field": [
        _create(),
        _update(cron="*/10 * * * *", timezone="Asia/Tokyo", enabled=False, name="n", payload=[1]),
    ],
    "update of the endpoint": [_create(payload={}), _update(endpoint="/api/both")],
    "update of the endpoint, without payload": [
        _create(payload={}),
        _update(endpoint="/api/both", payload=None),
    ],
    "update of nothing": [_create(name="n", payload={}), _update()],
    "update clears name and payload": [_create(name="n", payload={}), _update(name=None, payload=None)],
    "update to an empty name": [_create(name="n"), _update(name="")],
    "update to its own name": [_create(name="n"), _update(name="n")],
    "update to a taken name": [_create(), _create(name="n"), _update_refused("name", NAME_TAKEN, name="n")],
    "update of cron: wrong": [_create(), _update_refused("cron", TOO_FREQUENT, cron="* * * * *")],
    "update of payload: wrong": [
        _create(),
        _update_refused("payload", "Payload must be a JSON object or array", payload=1),
    ],
    "update of another's": [Call("update", (OTHER_ID,), {"cron": "x"}, "Schedule not found")],
    "update of an invalid id": [
        Call("update", ("x",), {}, "Invalid scheduleId", {"scheduleId": "Invalid scheduleId"})
    ],
    "delete": [_create(name="n"), Call("delete", ("first",)), _create(name="n")],
    "delete twice": [
        _create(),
        Call("delete", ("first",)),
        Call("delete", ("first",), {}, "Schedule not found"),
    ],
    "delete of an invalid id": [
        Call("delete", ("",), {}, "Invalid scheduleId", {"scheduleId": "Invalid scheduleId"})
    ],
    "get": [_create(), Call("get", ("first",))],
    "get of another's": [Call("get", (OTHER_ID,))],
    "get of an invalid id": [Call("get", ("x",), raises="validation-failed")],
    "quota": [
        *(_create() for _ in range(MAX_SCHEDULES)),
        Call("create", HOURLY, {}, f"Too many schedules (max {MAX_SCHEDULES} per extension install)"),
    ],
    "writes per minute": [
        _create(),
        *(_update(name=f"n{number}") for number in range(9)),
        Call("update", ("first",), {"name": "last"}, "Too many requests, please try again later"),
        Call("delete", ("first",), {}, "Too many requests, please try again later"),
        _update_refused("cron", TOO_FREQUENT, cron="* * * * *"),
    ],
    "endpoints": [Call("get_endpoints")],
}
