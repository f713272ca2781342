"""Values that cannot cross a component's boundary, and what the extension's author reads about each."""

from dataclasses import dataclass
from typing import Any

LONE = "\ud800"
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class BoundaryCase:
    """A request to the probe's `boundary` endpoints: its 500 is logged with `logged`, the error's type and text."""

    path: str
    arguments: tuple[Any, ...]
    logged: str


def _create(**keywords: object) -> tuple[Any, ...]:
    return (["/a", "0 3 * * *"], keywords)


CASES = {
    "endpoint: int": BoundaryCase(
        "scheduler/create", ([5, "* * * * *"], {}), "TypeError: endpoint must be a str, not int"
    ),
    "endpoint: None": BoundaryCase(
        "scheduler/create", ([None, "* * * * *"], {}), "TypeError: endpoint must be a str, not NoneType"
    ),
    "endpoint: lone surrogate": BoundaryCase(
        "scheduler/create",
        (["/" + LONE, "* * * * *"], {}),
        "ValueError: endpoint has a lone surrogate at index 1",
    ),
    "cron: list": BoundaryCase(
        "scheduler/create", (["/a", ["0"]], {}), "TypeError: cron must be a str, not list"
    ),
    "timezone: int": BoundaryCase(
        "scheduler/create", _create(timezone=1), "TypeError: timezone must be a str, not int"
    ),
    "enabled: str": BoundaryCase(
        "scheduler/create", _create(enabled="no"), "TypeError: enabled must be a bool, not str"
    ),
    "enabled: int": BoundaryCase(
        "scheduler/create", _create(enabled=1), "TypeError: enabled must be a bool, not int"
    ),
    "name: int": BoundaryCase("scheduler/create", _create(name=5), "TypeError: name must be a str, not int"),
    "name: lone surrogate": BoundaryCase(
        "scheduler/create", _create(name="ab" + LONE), "ValueError: name has a lone surrogate at index 2"
    ),
    "payload: NaN": BoundaryCase(
        "scheduler/create", _create(payload={"a": NAN}), "ValueError: payload is not JSON: Out of range float"
    ),
    "payload: infinite": BoundaryCase(
        "scheduler/create",
        _create(payload=[float("-inf")]),
        "ValueError: payload is not JSON: Out of range float",
    ),
    "payload: lone surrogate": BoundaryCase(
        "scheduler/create",
        _create(payload={"a": LONE}),
        "ValueError: payload has a lone surrogate at index 7",
    ),
    "payload: name with a lone surrogate": BoundaryCase(
        "scheduler/create", _create(payload={LONE: 1}), "ValueError: payload has a lone surrogate at index 2"
    ),
    "payload: nested 1,000 deep": BoundaryCase(
        "payload", (1_000,), "ValueError: payload is not JSON: nested deeper than 256 levels"
    ),
    "update of id: int": BoundaryCase(
        "scheduler/update", ([5], {}), "TypeError: schedule_id must be a str, not int"
    ),
    "update of id: lone surrogate": BoundaryCase(
        "scheduler/update", ([LONE], {}), "ValueError: schedule_id has a lone surrogate at index 0"
    ),
    "update of cron: None": BoundaryCase(
        "scheduler/update", (["s"], {"cron": None}), "TypeError: cron must be a str, not NoneType"
    ),
    "update of enabled: str": BoundaryCase(
        "scheduler/update", (["s"], {"enabled": "no"}), "TypeError: enabled must be a bool, not str"
    ),
    "update of name: lone surrogate": BoundaryCase(
        "scheduler/update", (["s"], {"name": LONE}), "ValueError: name has a lone surrogate at index 0"
    ),
    "update of payload: NaN": BoundaryCase(
        "scheduler/update",
        (["s"], {"payload": NAN}),
        "ValueError: payload is not JSON: Out of range float",
    ),
    "get of id: None": BoundaryCase(
        "scheduler/get", ([None], {}), "TypeError: schedule_id must be a str, not NoneType"
    ),
    "delete of id: lone surrogate": BoundaryCase(
        "scheduler/delete", ([LONE], {}), "ValueError: schedule_id has a lone surrogate at index 0"
    ),
    **{
        f"log {level}: {kind}": BoundaryCase(f"log/{level}", (value,), logged)
        for level in ("info", "warn", "error")
        for kind, value, logged in (
            ("dict", {}, "TypeError: message must be a str, not dict"),
            ("None", None, "TypeError: message must be a str, not NoneType"),
            ("lone surrogate", LONE + "!", "ValueError: message has a lone surrogate at index 0"),
        )
    },
    "print: lone surrogate": BoundaryCase("print", (LONE,), "UnicodeEncodeError: 'utf-8' codec can't encode"),
    "status: 70000": BoundaryCase(
        "response", ({"status": 70000},), "ValueError: status must be from 200 to 599, not 70000"
    ),
    "status: negative": BoundaryCase(
        "response", ({"status": -1},), "ValueError: status must be from 200 to 599, not -1"
    ),
    "status: interim": BoundaryCase(
        "response", ({"status": 100},), "ValueError: status must be from 200 to 599, not 100"
    ),
    "status: str": BoundaryCase(
        "response", ({"status": "200"},), "TypeError: status must be an int, not str"
    ),
    "status: float": BoundaryCase(
        "response", ({"status": 200.0},), "TypeError: status must be an int, not float"
    ),
    "status: bool": BoundaryCase(
        "response", ({"status": True},), "TypeError: status must be an int, not bool"
    ),
    "status: None": BoundaryCase(
        "response", ({"status": None},), "TypeError: status must be an int, not NoneType"
    ),
    "body: str": BoundaryCase(
        "response",
        ({"body": "text"},),
        "TypeError: body must be bytes or None, not str (encode it, or return it as JSON)",
    ),
    "body: dict": BoundaryCase(
        "response", ({"body": {}},), "TypeError: body must be bytes or None, not dict"
    ),
    "headers: None": BoundaryCase(
        "response", ({"headers": None},), "TypeError: headers must be a mapping, not NoneType"
    ),
    "headers: list": BoundaryCase(
        "response", ({"headers": [["a", "b"]]},), "TypeError: headers must be a mapping, not list"
    ),
    "header value: int": BoundaryCase(
        "response", ({"headers": {"x-a": 5}},), "TypeError: header x-a must be a str, not int"
    ),
    "header value: None": BoundaryCase(
        "response", ({"headers": {"x-a": None}},), "TypeError: header x-a must be a str, not NoneType"
    ),
    "header value: lone surrogate": BoundaryCase(
        "response", ({"headers": {"x-a": LONE}},), "ValueError: header x-a has a lone surrogate at index 0"
    ),
    "header value: line break": BoundaryCase(
        "response",
        ({"headers": {"x-a": "b\r\nx-c: d"}},),
        "ValueError: header x-a has the control character '\\r'",
    ),
    "header name: space": BoundaryCase(
        "response", ({"headers": {"a b": "c"}},), "ValueError: 'a b' is not the name of a header"
    ),
    "header name: empty": BoundaryCase(
        "response", ({"headers": {"": "c"}},), "ValueError: '' is not the name of a header"
    ),
    "header name: lone surrogate": BoundaryCase(
        "response", ({"headers": {LONE: "c"}},), "ValueError: a header's name has a lone surrogate at index 0"
    ),
    "header changed later: int": BoundaryCase(
        "changed", ({"x-a": 5},), "TypeError: header x-a must be a str, not int"
    ),
    "value: NaN": BoundaryCase(
        "value", (NAN,), "ValueError: Out of range float values are not JSON compliant"
    ),
    "value: lone surrogate": BoundaryCase("value", (LONE,), "UnicodeEncodeError: 'utf-8' codec can't encode"),
    "value: set": BoundaryCase("value", ("set",), "TypeError: Object of type set is not JSON serializable"),
    "value: nested 1,000 deep": BoundaryCase("nested", (1_000,), "ValueError: nested deeper than 256 levels"),
    "value: circle": BoundaryCase("value", ("circle",), "ValueError: nested deeper than 256 levels"),
    "exception text: lone surrogate": BoundaryCase("raise", (LONE,), "LookupError: \\ud800"),
}
