"""The checks of the stand-in itself: what a deployed runner rejects, and what the service never sends."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.oracles.execute_requests import find_violations
from tests.support.oracles.execute_types import find_rejection

PATH = "/v1/execute"
SCHEDULE_ID = "01a20745-4897-4f81-a91e-a0d09962b8d6"
REQUEST: dict[str, Any] = {
    "context": {
        "request_id": "6f2f0b5e-4f1e-4c55-9f5b-1f3a1c1f6f10",
        "tenant_id": "tenant-1",
        "extension_id": "registry-1",
        "install_id": "install-1",
        "version_id": "version-1",
        "content_hash": "sha256:" + "0" * 64,
        "config": {"region": "eu"},
        "trigger": "schedule",
        "schedule_id": SCHEDULE_ID,
        "scheduled_for": "2026-11-23T09:00:00Z",
    },
    "http": {
        "method": "POST",
        "path": "/api/sync",
        "query": {},
        "headers": {
            "x-alga-tenant": "tenant-1",
            "x-alga-extension": "registry-1",
            "x-alga-schedule-id": SCHEDULE_ID,
            "x-alga-scheduled-for": "2026-11-23T09:00:00Z",
            "x-alga-attempt": "1",
            "x-alga-trigger": "schedule",
        },
        "body_b64": "WzFd",
    },
    "limits": {"timeout_ms": 30000},
    "providers": ["cap:context.read", "cap:log.emit", "cap:scheduler.manage", "cap:user.read"],
    "secret_envelope": {"ciphertext_b64": "c2VjcmV0"},
}
HEADERS = [
    ("Host", "127.0.0.1:8080"),
    ("Accept-Encoding", "identity"),
    ("Content-Length", "2"),
    ("content-type", "application/json"),
    ("x-request-id", REQUEST["context"]["request_id"]),
    ("x-idempotency-key", f"{SCHEDULE_ID}:2026-11-23T09:00:00Z"),
    ("x-alga-tenant", "tenant-1"),
    ("x-alga-extension", "registry-1"),
]
_ABSENT = object()


def change_request(path: str, value: object) -> bytes:
    """Return the request with the value at a dotted path; `_ABSENT` removes the field."""
    request = copy.deepcopy(REQUEST)
    *parents, name = path.split(".")
    holder = request
    for each in parents:
        holder = holder[each]
    if value is _ABSENT:
        del holder[name]
    else:
        holder[name] = value
    return json.dumps(request).encode()


def test_valid_request_passes_both_checks() -> None:
    body = json.dumps(REQUEST).encode()

    assert find_rejection(body) is None
    assert find_violations(PATH, HEADERS, body) == []


@pytest.mark.parametrize("path", ["context.callback_token", "unknown", "http.unknown"])
def test_deployed_runner_ignores_unknown_fields(path: str) -> None:
    assert find_rejection(change_request(path, 1)) is None


@pytest.mark.parametrize("path", ["context.config", "http.query", "http.headers", "limits", "providers"])
def test_field_with_a_default_may_be_absent_but_not_null(path: str) -> None:
    assert find_rejection(change_request(path, _ABSENT)) is None
    rejection = find_rejection(change_request(path, None))
    assert rejection is not None
    assert rejection.status == 422
    assert path in rejection.text


@pytest.mark.parametrize(
    "path",
    [
        *("context.request_id", "context.install_id", "context.version_id", "http.body_b64"),
        *("limits.timeout_ms", "secret_envelope"),
    ],
)
def test_optional_field_may_be_null_or_absent(path: str) -> None:
    assert find_rejection(change_request(path, None)) is None
    assert find_rejection(change_request(path, _ABSENT)) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((f"context.{name}", _ABSENT) for name in ("tenant_id", "extension_id", "content_hash")),
        *((f"http.{name}", _ABSENT) for name in ("method", "path")),
        ("context", _ABSENT),
        ("http", None),
        ("context.tenant_id", None),
        ("context.request_id", 7),
        ("context.config", {"ratio": 1.0}),
        ("context.config", {"nothing": None}),
        ("http.headers", {"x": ["y"]}),
        ("http.query", []),
        ("http.body_b64", 1),
        ("limits.timeout_ms", "30000"),
        ("limits.timeout_ms", 30000.0),
        ("limits.timeout_ms", -1),
        ("limits.timeout_ms", True),
        ("limits.fuel", 2**64),
        ("secret_envelope", {}),
        ("secret_envelope", {"ciphertext": "abc"}),
        ("secret_envelope", {"ciphertext_b64": "abc", "version": 1}),
        ("secret_envelope", "abc"),
        ("providers", [1]),
        ("providers", "cap:log.emit"),
    ],
)
def test_wrong_type_is_rejected_with_the_field(path: str, value: object) -> None:
    body = change_request(path, value)

    rejection = find_rejection(body)

    assert rejection is not None
    assert rejection.status == 422
    assert path in rejection.text
    assert find_violations(PATH, HEADERS, body)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a":NaN}', b'["\\ud800"]'])
def test_body_that_is_not_json_is_rejected(body: bytes) -> None:
    rejection = find_rejection(body)

    assert rejection is not None
    assert rejection.status == 400


def test_body_over_two_megabytes_is_rejected() -> None:
    rejection = find_rejection(b" " * 2_097_153)

    assert rejection is not None
    assert rejection.status == 413


@pytest.mark.parametrize(
    ("path", "value", "violation"),
    [
        ("context.trigger", _ABSENT, "context: trigger is missing"),
        ("context.unknown", "x", "context: unknown is not expected"),
        ("context.install_id", None, "context: install_id is empty"),
        ("context.content_hash", "sha256:0", "context: content_hash"),
        ("context.scheduled_for", "2026-11-23 09:00", "context: scheduled_for"),
        ("context.schedule_id", "x", "context: schedule_id"),
        ("context.request_id", "other", "headers: x-request-id"),
        ("context.tenant_id", "tenant-2", "headers: x-alga-tenant"),
        ("http.method", "PUT", "http: method"),
        ("http.path", "api", "http: path"),
        ("http.query", {"a": "b"}, "http: query"),
        ("http.body_b64", "%%", "http: body_b64"),
        ("http.headers.x-alga-attempt", _ABSENT, "http.headers: x-alga-attempt is missing"),
        ("http.headers.x-alga-attempt", "0", "http.headers: x-alga-attempt"),
        ("http.headers.x-alga-trigger", "manual", "http.headers: x-alga-trigger"),
        ("http.headers.x-alga-schedule-id", "x", "http.headers: x-alga-schedule-id"),
        ("http.headers.accept", "*/*", "http.headers: accept is not expected"),
        ("limits", _ABSENT, "request: limits is missing"),
        ("limits.fuel", 1, "limits"),
        ("providers", ["cap:scheduler.manage"], "providers"),
        ("providers", ["cap:context.read", "cap:log.emit", "cap:teleport", "cap:user.read"], "providers"),
        ("secret_envelope", None, "secret_envelope: null"),
        ("user", {}, "request: user is not expected"),
    ],
)
def test_request_that_the_service_never_sends_is_a_violation(
    path: str, value: object, violation: str
) -> None:
    assert any(
        each.startswith(violation) for each in find_violations(PATH, HEADERS, change_request(path, value))
    )


@pytest.mark.parametrize(
    ("change", "violation"),
    [
        pytest.param(lambda headers: headers[:-1], "headers: x-alga-extension is missing", id="missing"),
        pytest.param(lambda headers: [*headers, ("x-new", "1")], "headers: x-new is not expected", id="new"),
        pytest.param(
            lambda headers: [*headers, headers[-1]], "headers: x-alga-extension is repeated", id="twice"
        ),
        pytest.param(
            lambda headers: [*headers, ("x-runner-service-token", "")],
            "headers: x-runner-service-token is empty",
            id="empty token",
        ),
    ],
)
def test_wrong_headers_are_a_violation(
    change: Callable[[list[tuple[str, str]]], list[tuple[str, str]]], violation: str
) -> None:
    violations = find_violations(PATH, change(HEADERS), json.dumps(REQUEST).encode())

    assert len(violations) == 1
    assert violations[0].startswith(violation)


def test_other_path_is_a_violation() -> None:
    assert find_violations("/execute", HEADERS, b"") == ["path /execute"]
