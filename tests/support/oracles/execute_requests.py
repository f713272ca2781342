"""What the service promises to send to `POST /v1/execute`: every field, every header, and their agreement.

Stricter than a deployed runner, whose check of the types is `find_rejection`.
"""

import base64
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from tests.support.oracles.execute_types import find_rejection, parse_json

Headers = Sequence[tuple[str, str]]
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
"""Of the context; the header also names backfills, which deployed runners pass on unread."""
_SCHEDULED_FOR = {
    "schedule": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "backfill": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "manual": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
}


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
    if trigger not in _SCHEDULED_FOR:
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
