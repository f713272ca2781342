"""Checks of a request to `POST /v1/execute`, written from the runner's interface without code of the service.

`find_rejection` is the check of a deployed runner: types only, unknown fields are ignored. `find_violations` is the
stricter check of what the service promises to send: every field, every header, and their agreement with each other.
"""

import base64
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

Headers = Sequence[tuple[str, str]]
MAX_BODY_BYTES = 2 * 1024 * 1024
MAX_U64 = 2**64 - 1
KNOWN_CAPABILITIES = frozenset(
    f"cap:{name}"
    for name in (
        *("context.read", "log.emit", "user.read", "secrets.get", "http.fetch", "storage.kv", "ui.proxy"),
        *("invoice.manual.create", "client.read", "service.read", "scheduler.manage"),
    )
)
ALWAYS_GRANTED = frozenset({"cap:context.read", "cap:log.emit", "cap:user.read"})
OCCURRENCE_HEADERS = {
    "x-alga-tenant",
    "x-alga-extension",
    "x-alga-schedule-id",
    "x-alga-scheduled-for",
    "x-alga-attempt",
    "x-alga-trigger",
}
"""The headers that reach the extension."""
_TRANSPORT_HEADERS = {"host", "content-length", "accept-encoding", "connection"}
_SENT_HEADERS = {"content-type", "x-request-id", "x-idempotency-key", "x-alga-tenant", "x-alga-extension"}
_OPTIONAL_HEADERS = {"x-runner-service-token"}
_CONTEXT_FIELDS = {
    "request_id",
    "tenant_id",
    "extension_id",
    "install_id",
    "version_id",
    "content_hash",
    "config",
    "trigger",
    "schedule_id",
    "scheduled_for",
}
_OPTIONAL_CONTEXT_FIELDS = {"callback_token"}
_TRIGGERS = ("schedule", "manual")
_SCHEDULED_FOR = {
    "schedule": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "manual": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
}


class Rejection(NamedTuple):
    """The HTTP status and the plain text of a request that a deployed runner does not execute."""

    status: int
    text: str


class _Type(NamedTuple):
    """A type of the interface: how to find the faults of a value, and what may be absent."""

    find_faults: Callable[[str, Any], Iterator[str]]
    nullable: bool = False
    has_default: bool = False


def _string(path: str, value: Any) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path}: invalid type, expected a string"


def _u64(path: str, value: Any) -> Iterator[str]:
    if type(value) is not int or not 0 <= value <= MAX_U64:
        yield f"{path}: invalid type, expected u64"


def _string_map(path: str, value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: invalid type, expected a map"
        return
    for name, each in value.items():
        yield from _string(f"{path}.{name}", each)


def _string_list(path: str, value: Any) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: invalid type, expected a sequence"
        return
    for number, each in enumerate(value):
        yield from _string(f"{path}[{number}]", each)


def _record(fields: Mapping[str, _Type]) -> Callable[[str, Any], Iterator[str]]:
    def find_faults(path: str, value: Any) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path or 'request'}: invalid type, expected a map"
            return
        for name, field_type in fields.items():
            field_path = f"{path}.{name}" if path else name
            if name not in value:
                if not (field_type.nullable or field_type.has_default):
                    yield f"{field_path}: missing field"
            elif value[name] is not None or not field_type.nullable:
                yield from field_type.find_faults(field_path, value[name])

    return find_faults


_STRING, _OPTIONAL_STRING = _Type(_string), _Type(_string, nullable=True)
_OPTIONAL_U64 = _Type(_u64, nullable=True)
_STRINGS_BY_NAME = _Type(_string_map, has_default=True)
_REQUEST = _record(
    {
        "context": _Type(
            _record(
                {
                    "request_id": _OPTIONAL_STRING,
                    "tenant_id": _STRING,
                    "extension_id": _STRING,
                    "install_id": _OPTIONAL_STRING,
                    "content_hash": _STRING,
                    "version_id": _OPTIONAL_STRING,
                    "config": _STRINGS_BY_NAME,
                }
            )
        ),
        "http": _Type(
            _record(
                {
                    "method": _STRING,
                    "path": _STRING,
                    "query": _STRINGS_BY_NAME,
                    "headers": _STRINGS_BY_NAME,
                    "body_b64": _OPTIONAL_STRING,
                }
            )
        ),
        "limits": _Type(
            _record({"timeout_ms": _OPTIONAL_U64, "memory_mb": _OPTIONAL_U64, "fuel": _OPTIONAL_U64}),
            has_default=True,
        ),
        "secret_envelope": _Type(
            _record(
                {
                    "ciphertext_b64": _STRING,
                    **dict.fromkeys(
                        ("version", "algorithm", "expires_at", "key_path", "mount"), _OPTIONAL_STRING
                    ),
                }
            ),
            nullable=True,
        ),
        "providers": _Type(_string_list, has_default=True),
    }
)


def find_rejection(body: bytes) -> Rejection | None:
    """Return how a deployed runner rejects the body before it executes anything, or None."""
    if len(body) > MAX_BODY_BYTES:
        return Rejection(413, "length limit exceeded")
    try:
        request = parse_json(body)
    except ValueError as error:
        return Rejection(400, f"Failed to parse the request body as JSON: {error}")
    faults = list(_REQUEST("", request))
    return (
        Rejection(422, f"Failed to deserialize the JSON body into the target type: {faults[0]}")
        if faults
        else None
    )


def parse_json(body: bytes) -> Any:
    """Parse JSON as strictly as a deployed runner.

    Raises:
        ValueError: the bytes are not UTF-8 or not JSON.
    """
    document = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    json.dumps(document, ensure_ascii=False).encode()  # fails on a lone surrogate
    return document


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def find_violations(path: str, headers: Headers, body: bytes) -> list[str]:
    """Return everything in which a request differs from what the service promises to send."""
    if path != "/v1/execute":
        return [f"path {path}"]
    if rejection := find_rejection(body):
        return [f"{rejection.status}: {rejection.text}"]
    values = {name.lower(): value for name, value in headers}
    request = parse_json(body)
    return [
        *_header_violations(headers, values, request["context"]),
        *_context_violations(request["context"], request.get("providers", [])),
        *_http_violations(request["http"], request["context"]),
        *_rest_violations(request),
    ]


def _differences(subject: str, names: set[str], required: set[str], optional: set[str]) -> Iterator[str]:
    yield from (f"{subject}: {name} is missing" for name in sorted(required - names))
    yield from (f"{subject}: {name} is not expected" for name in sorted(names - required - optional))


def _header_violations(
    headers: Headers, values: Mapping[str, str], context: Mapping[str, Any]
) -> Iterator[str]:
    repeated = [name for name, count in Counter(name.lower() for name, _ in headers).items() if count > 1]
    yield from (f"headers: {name} is repeated" for name in repeated)
    yield from _differences("headers", set(values), _SENT_HEADERS, _OPTIONAL_HEADERS | _TRANSPORT_HEADERS)
    expected = {
        "content-type": "application/json",
        "x-request-id": context.get("request_id"),
        "x-alga-tenant": context["tenant_id"],
        "x-alga-extension": context["extension_id"],
    }
    for name, value in expected.items():
        if values.get(name, value) != value:
            yield f"headers: {name} is {values[name]!r}, not {value!r}"
    for name in _SENT_HEADERS | _OPTIONAL_HEADERS:
        if name in values and not re.fullmatch(r"[!-~](?:[ -~]*[!-~])?", values[name]):
            yield f"headers: {name} is empty or not printable"


def _context_violations(context: Mapping[str, Any], providers: Sequence[str]) -> Iterator[str]:
    yield from _differences("context", set(context), _CONTEXT_FIELDS, _OPTIONAL_CONTEXT_FIELDS)
    yield from (f"context: {name} is empty" for name, value in context.items() if value in (None, ""))
    if not _is_uuid(context.get("schedule_id")):
        yield "context: schedule_id is not a UUID"
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", context["content_hash"]):
        yield "context: content_hash is not a SHA-256"
    if context.get("trigger") not in _TRIGGERS:
        yield f"context: trigger is {context.get('trigger')!r}"
    if not any(re.fullmatch(each, str(context.get("scheduled_for"))) for each in _SCHEDULED_FOR.values()):
        yield f"context: scheduled_for is {context.get('scheduled_for')!r}"
    if "callback_token" in context and "cap:scheduler.manage" not in providers:
        yield "context: callback_token without cap:scheduler.manage"


def _http_violations(http: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[str]:
    yield from _differences("http", set(http), {"method", "path", "query", "headers"}, {"body_b64"})
    if http["method"] not in ("GET", "POST"):
        yield f"http: method is {http['method']!r}"
    if not http["path"].startswith("/"):
        yield f"http: path is {http['path']!r}"
    if http.get("query") != {}:
        yield "http: query is not {}"
    if "body_b64" in http and (http["method"] == "GET" or not _is_base64_json(http["body_b64"])):
        yield "http: body_b64 is not a payload as JSON"
    yield from _extension_header_violations(http.get("headers", {}), context)


def _extension_header_violations(headers: Mapping[str, str], context: Mapping[str, Any]) -> Iterator[str]:
    yield from _differences("http.headers", set(headers), OCCURRENCE_HEADERS, set())
    expected = {
        "x-alga-tenant": context["tenant_id"],
        "x-alga-extension": context["extension_id"],
        "x-alga-schedule-id": context.get("schedule_id"),
        "x-alga-scheduled-for": context.get("scheduled_for"),
    }
    for name, value in expected.items():
        if headers.get(name, value) != value:
            yield f"http.headers: {name} is {headers[name]!r}, not {value!r}"
    if not re.fullmatch(r"[1-9]\d*", headers.get("x-alga-attempt", "1")):
        yield f"http.headers: x-alga-attempt is {headers['x-alga-attempt']!r}"
    trigger = headers.get("x-alga-trigger", "schedule")
    if trigger not in _TRIGGERS:
        yield f"http.headers: x-alga-trigger is {trigger!r}"
    elif not re.fullmatch(_SCHEDULED_FOR[trigger], str(context.get("scheduled_for"))):
        yield f"http.headers: x-alga-trigger {trigger} with scheduled_for {context.get('scheduled_for')!r}"


def _rest_violations(request: Mapping[str, Any]) -> Iterator[str]:
    yield from _differences(
        "request", set(request), {"context", "http", "limits", "providers"}, {"secret_envelope"}
    )
    limits = request.get("limits", {})
    if set(limits) != {"timeout_ms"} or not limits["timeout_ms"]:
        yield f"limits: {limits}"
    providers = request.get("providers", [])
    if providers != sorted(set(providers)) or not ALWAYS_GRANTED <= set(providers) <= KNOWN_CAPABILITIES:
        yield f"providers: {providers}"
    if "secret_envelope" in request and request["secret_envelope"] is None:
        yield "secret_envelope: null"


def _is_uuid(text: object) -> bool:
    try:
        return str(UUID(str(text))) == text
    except ValueError:
        return False


def _is_base64_json(text: str) -> bool:
    try:
        return isinstance(parse_json(base64.b64decode(text, validate=True)), dict | list)
    except ValueError:
        return False
