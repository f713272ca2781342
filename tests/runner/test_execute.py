"""`POST /v1/execute` with a real component."""

import json
import logging
import re
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.stacks.component_client import INSTALL_ID, ComponentClient, ExecutionResult


def test_extension_receives_the_whole_request(probe: ComponentClient) -> None:
    body = "süß \N{ROCKET}".encode()
    executed = probe.execute_request(
        "POST",
        "/echo",
        body=body,
        query={"q": "a b&c", "many": ["1", "2"]},
        headers={"x-alga-tenant": "tenant-1", "x-note": "übung"},
    )
    assert executed.http_status == 200
    assert executed.response["status"] == 200
    assert executed.response["headers"] == {"content-type": "application/json"}
    assert executed.json() == {
        "method": "POST",
        "url": "/echo?q=a+b%26c&many=1&many=2",
        "headers": {"x-alga-tenant": "tenant-1", "x-note": "übung"},
        "body_b64": b64encode(body).decode(),
        "context": {
            "request_id": "request-1",
            "tenant_id": "tenant-1",
            "extension_id": "registry-1",
            "install_id": INSTALL_ID,
            "version_id": "version-1",
        },
    }


def test_absent_fields_are_absent(probe: ComponentClient) -> None:
    request = probe.create_request("POST", "/echo")
    for name in ("request_id", "install_id", "version_id"):
        del request["context"][name]
    received = probe.post_request(request).json()
    assert received["body_b64"] is None
    assert received["context"] == {
        "request_id": None,
        "tenant_id": "tenant-1",
        "extension_id": "registry-1",
        "install_id": None,
        "version_id": None,
    }


def test_every_byte_of_a_body_arrives(probe: ComponentClient) -> None:
    body = bytes(range(256)) * 400
    assert probe.execute_request("POST", "/echo", body=body).json()["body_b64"] == b64encode(body).decode()


def test_extension_has_no_files_and_no_environment(probe: ComponentClient) -> None:
    assert probe.execute_request("GET", "/world").json()["environ"] == {}


def test_extension_errors_are_returned_as_its_responses(probe: ComponentClient) -> None:
    executed = probe.execute_request("GET", "/nowhere")
    assert (executed.http_status, executed.response["status"]) == (200, 404)


@pytest.mark.parametrize(
    ("path", "status", "code", "message"),
    [
        ("/trap", 502, "EXTENSION_TRAP", "the probe exits"),
        ("/secrets", 502, "HOST_CALL_REFUSED", "alga:extension/secrets.get is not available in this runner"),
        ("/storage", 502, "HOST_CALL_REFUSED", "alga:extension/storage.get is not available in this runner"),
        ("/hog", 502, "MEMORY_LIMIT", "the extension needs more memory than it may have"),
    ],
)
def test_failed_execution_has_a_reason(
    probe: ComponentClient, path: str, status: int, code: str, message: str
) -> None:
    executed = probe.execute_request("GET", path)
    assert (executed.http_status, executed.error["code"]) == (status, code)
    assert message in executed.error["message"]
    assert "\n" not in executed.error["message"]


@pytest.mark.parametrize("path", ["/loop", "/sleep"])
def test_execution_time_is_limited(probe: ComponentClient, path: str) -> None:
    executed = probe.execute_request("GET", path, timeout_ms=300)
    assert executed.http_status == 504
    assert executed.error == {"code": "TIME_LIMIT", "message": "the extension took longer than 300 ms"}


def request_big_response(probe: ComponentClient, size: int) -> ExecutionResult:
    return probe.execute_request("GET", "/big", query={"bytes": str(size)})


def find_largest_body(probe: ComponentClient) -> int:
    """Return the largest body that fits in a response of 256 KiB; base64 has four bytes for each three."""
    envelope_bytes = len(json.dumps(request_big_response(probe, 0).response))
    return (256 * 1024 - envelope_bytes) // 4 * 3


def test_response_can_have_256_kib_of_json(probe: ComponentClient) -> None:
    largest = find_largest_body(probe)
    executed = request_big_response(probe, largest)
    assert executed.body == b"x" * largest
    assert 256 * 1024 - 4 < len(json.dumps(executed.response)) <= 256 * 1024


@pytest.mark.parametrize("excess", [1, 70_000])
def test_larger_response_is_an_error(probe: ComponentClient, excess: int) -> None:
    executed = request_big_response(probe, find_largest_body(probe) + excess)
    assert (executed.http_status, executed.error["code"]) == (502, "RESPONSE_TOO_LARGE")
    assert re.fullmatch(
        r"the answer would have \d{6} bytes as JSON \(max 262144\)", executed.error["message"]
    )


def test_oversized_response_is_not_copied(probe: ComponentClient) -> None:
    executed = request_big_response(probe, 50_000_000)
    assert (executed.http_status, executed.error["code"]) == (502, "RESPONSE_TOO_LARGE")


def test_concurrent_calls_do_not_mix(probe: ComponentClient) -> None:
    def echo(number: int) -> Any:
        request = probe.create_request("POST", "/echo", body=str(number).encode())
        request["context"]["request_id"] = f"request-{number}"
        if number % 2:
            del request["context"]["version_id"]
        return probe.post_request(request).json()["context"]

    with ThreadPoolExecutor(8) as pool:
        contexts = list(pool.map(echo, range(80)))
    assert [context["request_id"] for context in contexts] == [f"request-{n}" for n in range(80)]
    assert [context["version_id"] for context in contexts] == ["version-1", None] * 40


def test_log_message_names_the_request_and_is_one_line(
    probe: ComponentClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "extension"):
        probe.execute_request("GET", "/print")
    origin = f"[request request-1, install {INSTALL_ID}]"
    assert [
        (record.levelname, record.message) for record in caplog.records if record.name == "extension"
    ] == [
        ("WARNING", rf"{origin} logged\nby the probe"),
        ("INFO", f"{origin} printed"),
        ("INFO", f"{origin} by the probe"),
    ]


def test_log_lines_are_limited(probe: ComponentClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "extension"):
        probe.execute_request("GET", "/chatter")
    lines = [record.message for record in caplog.records if record.name == "extension"]
    assert len(lines) == 201
    assert "the rest is dropped" in lines[-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda request: request.pop("context"), "context: Field required"),
        (lambda request: request["context"].pop("content_hash"), "context.content_hash: Field required"),
        (lambda request: request["http"].update(path=3), "http.path: Input should be a valid string"),
        (lambda request: request["http"].update(body_b64="?"), "http.body_b64: "),
        (lambda request: request["limits"].update(timeout_ms=0), "limits.timeout_ms: "),
    ],
)
def test_invalid_request_names_the_field(probe: ComponentClient, change: Any, message: str) -> None:
    request = probe.create_request("GET", "/echo")
    change(request)
    executed = probe.post_request(request)
    assert (executed.http_status, executed.error["code"]) == (400, "INVALID_REQUEST")
    assert executed.error["message"].startswith(message)


def test_invalid_json_is_refused(probe: ComponentClient) -> None:
    executed = probe.post_request(b'{"context": ')
    assert (executed.http_status, executed.error["code"]) == (400, "INVALID_REQUEST")
    assert "JSON" in executed.error["message"]


def test_oversized_request_is_refused(probe: ComponentClient) -> None:
    executed = probe.post_request(b"{}", **{"content-length": "5000000"})
    assert (executed.http_status, executed.error["code"]) == (400, "INVALID_REQUEST")
    assert "content-length" in executed.error["message"]


def test_unknown_component_is_not_found(probe: ComponentClient) -> None:
    request = probe.create_request("GET", "/echo")
    request["context"]["content_hash"] = "sha256:" + "0" * 64
    executed = probe.post_request(request)
    assert (executed.http_status, executed.error["code"]) == (404, "COMPONENT_NOT_FOUND")
    assert request["context"]["content_hash"] in executed.error["message"]


def test_health_and_unknown_routes(probe: ComponentClient) -> None:
    assert probe.http.request("GET", f"{probe.url}/health").status == 200
    assert probe.http.request("GET", f"{probe.url}/v1/execute").status == 404
    assert probe.http.request("POST", f"{probe.url}/v2/execute", body=json.dumps({})).status == 404
