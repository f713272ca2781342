"""What the runner accepts as a request, as strictly as a deployed one."""

from typing import Any

import pytest

from tests.support.stacks.component_client import ComponentClient

ENVELOPE = {"ciphertext_b64": "c2VjcmV0"}


def set_field(request: dict[str, Any], path: str, value: object) -> None:
    """Set a field of a request by its dotted path."""
    *parents, name = path.split(".")
    for parent in parents:
        request = request[parent]
    request[name] = value


@pytest.mark.parametrize(
    "path",
    [
        "context",
        "context.tenant_id",
        "context.extension_id",
        "context.content_hash",
        "http",
        "http.method",
        "http.path",
    ],
)
@pytest.mark.parametrize("change", ["absent", "null", "number"])
def test_required_field_is_named(probe: ComponentClient, path: str, change: str) -> None:
    request = probe.create_request("GET", "/echo")
    set_field(request, path, {"null": None, "number": 1}.get(change))
    if change == "absent":
        parent, _, name = path.rpartition(".")
        (request[parent] if parent else request).pop(name)
    executed = probe.post_request(request)
    assert (executed.http_status, executed.text.partition(": ")[0]) == (422, path)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("context.config", {"a": 1}, "context.config.a"),
        ("context.request_id", 7, "context.request_id"),
        ("http.query", {"a": ["1"]}, "http.query.a"),
        ("http.headers", {"a": None}, "http.headers.a"),
        ("http.body_b64", [1], "http.body_b64"),
        ("limits.timeout_ms", "300", "limits.timeout_ms"),
        ("limits.timeout_ms", 300.0, "limits.timeout_ms"),
        ("limits.timeout_ms", True, "limits.timeout_ms"),
        ("limits.memory_mb", -1, "limits.memory_mb"),
        ("limits.fuel", 2**64, "limits.fuel"),
        ("secret_envelope", {}, "secret_envelope.ciphertext_b64"),
        ("secret_envelope", ENVELOPE | {"mount": 1}, "secret_envelope.mount"),
        ("providers", "cap:log.emit", "providers"),
        ("providers", [1], "providers.0"),
        ("user", "me", "user"),
    ],
)
def test_field_of_the_wrong_type_is_named(
    probe: ComponentClient, path: str, value: object, field: str
) -> None:
    request = probe.create_request("GET", "/echo")
    set_field(request, path, value)
    executed = probe.post_request(request)
    assert (executed.http_status, executed.text.partition(": ")[0]) == (422, field)


@pytest.mark.parametrize("path", ["context.config", "http.query", "http.headers", "limits", "providers"])
def test_null_is_refused_for_a_field_with_a_default(probe: ComponentClient, path: str) -> None:
    request = probe.create_request("GET", "/echo")
    set_field(request, path, None)
    executed = probe.post_request(request)
    assert (executed.http_status, executed.text.partition(": ")[0]) == (422, path)


def test_optional_fields_can_be_null_and_unknown_fields_are_ignored(probe: ComponentClient) -> None:
    request = probe.create_request("POST", "/echo")
    nullable = ("context.request_id", "context.install_id", "context.version_id", "http.body_b64", "user")
    limits = ("limits.timeout_ms", "limits.memory_mb", "limits.fuel")
    for path in (*nullable, *limits, "secret_envelope"):
        set_field(request, path, None)
    for path in ("added", "context.added", "http.added", "limits.added"):
        set_field(request, path, {"added": 1})
    assert probe.post_request(request).response["status"] == 200


def test_fields_with_defaults_can_be_absent(probe: ComponentClient) -> None:
    request = probe.create_request("POST", "/echo")
    for name in ("limits", "providers"):
        del request[name]
    del request["context"]["config"], request["http"]["query"], request["http"]["headers"]
    request["secret_envelope"] = ENVELOPE
    assert probe.post_request(request).response["status"] == 200


@pytest.mark.parametrize("body", [b"", b'{"context": ', b'{"a": NaN}', b'"\\ud800"', b"\xff", b"{} {}"])
def test_invalid_json_is_refused(probe: ComponentClient, body: bytes) -> None:
    executed = probe.post_request(body)
    assert executed.http_status == 400
    assert executed.text.startswith("Failed to parse the request body as JSON: ")


@pytest.mark.parametrize("body", [b"[]", b"null", b"3"])
def test_json_of_another_type_is_refused(probe: ComponentClient, body: bytes) -> None:
    assert probe.post_request(body).http_status == 422


def test_body_can_have_two_megabytes(probe: ComponentClient) -> None:
    limit = 2 * 1024 * 1024
    assert probe.post_request(b'"' + b"x" * (limit - 2) + b'"').http_status == 422
    executed = probe.post_request(b"x" * (limit + 1))
    assert (executed.http_status, executed.text) == (413, "the body is larger than 2097152 bytes")


def test_rejection_is_plain_text(probe: ComponentClient) -> None:
    response = probe.http.request("POST", f"{probe.url}/v1/execute", body=b"{")
    assert (response.status, response.headers["content-type"]) == (400, "text/plain; charset=utf-8")


@pytest.mark.parametrize("header", ["x-alga-tenant", "x-alga-extension"])
@pytest.mark.parametrize("value", ["", " "])
def test_routing_headers_are_required(probe: ComponentClient, header: str, value: str) -> None:
    executed = probe.post_request(probe.create_request("GET", "/echo"), **{header: value})
    assert executed.failure == (400, "missing_routing_headers")


def test_unknown_bundle_is_reported_before_unknown_capabilities(probe: ComponentClient) -> None:
    request = probe.create_request("GET", "/echo", providers=["cap:b", "cap:log.emit", " CAP:A "])
    assert probe.post_request(request).failure == (400, "unknown_capabilities: cap:a, cap:b")

    request["context"]["content_hash"] = content_hash = "sha256:" + "0" * 64
    assert probe.post_request(request).failure == (
        502,
        f"bundle_fetch_failed: no component or bundle with content hash {content_hash} in the extension folders",
    )


def test_every_capability_of_the_contract_is_known(probe: ComponentClient) -> None:
    names = (
        "context.read log.emit user.read secrets.get http.fetch storage.kv ui.proxy invoice.manual.create "
        "client.read service.read scheduler.manage"
    )
    request = probe.create_request("POST", "/echo", providers=[f"cap:{name}" for name in names.split()])
    assert probe.post_request(request).response["status"] == 200


def test_envelope_that_is_not_base64_cannot_be_decrypted(probe: ComponentClient) -> None:
    request = probe.create_request("GET", "/echo")
    request["secret_envelope"] = {"ciphertext_b64": "not base64"}
    assert probe.post_request(request).failure == (500, "secret_decrypt_failed")


def test_body_that_is_not_base64_fails(probe: ComponentClient) -> None:
    request = probe.create_request("GET", "/echo")
    request["http"]["body_b64"] = "?"
    assert probe.post_request(request).failure == (500, "execute_failed: http.body_b64 is not base64")
