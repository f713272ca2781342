"""`POST /v1/execute` with a real component."""

import json
import logging
import re
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.components.client import INSTALL_ID, ComponentClient, ExecutionResult


def test_extension_receives_the_whole_request(probe: ComponentClient) -> None:
    body = "süß \N{ROCKET}".encode()
    executed = probe.execute_request(
        "POST",
        "/echo",
        body=body,
        query={"q": "a b&c", "r": ""},
        headers={"x-alga-tenant": "tenant-1", "x-note": "übung"},
    )
    assert executed.http_status == 200
    assert executed.response["status"] == 200
    assert executed.response["headers"] == {"content-type": "application/json"}
    assert executed.json() == {
        "method": "POST",
        "url": "/echo?q=a+b%26c&r=",
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
    ("path", "message"),
    [
        ("/trap", "the probe exits"),
        ("/secrets", "alga:extension/secrets.get is not available in this runner"),
        ("/storage", "alga:extension/storage.get is not available in this runner"),
        ("/hog", "the extension needs more memory than it may have"),
    ],
)
def test_failed_execution_has_a_reason(probe: ComponentClient, path: str, message: str) -> None:
    status, error = probe.execute_request("GET", path).failure
    assert status == 500
    assert error.startswith("execute_failed: ")
    assert message in error
    assert "\n" not in error


@pytest.mark.parametrize("path", ["/loop", "/sleep"])
def test_execution_time_is_limited(probe: ComponentClient, path: str) -> None:
    executed = probe.execute_request("GET", path, timeout_ms=300)
    assert executed.failure == (500, "execute_failed: the extension took longer than 300 ms")


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
    status, error = executed.failure
    assert status == 500
    assert re.fullmatch(r"execute_failed: the response would have \d{6} bytes as JSON \(max 262144\)", error)


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
    origin = (
        f"[request request-1, install {INSTALL_ID}, schedule schedule-1, occurrence 2026-11-23T09:00:00Z]"
    )
    lines = [record for record in caplog.records if record.name == "extension"]
    # What is printed and what is logged have no order: Python may keep its output until the end.
    assert sorted((record.levelname, record.message) for record in lines) == [
        ("INFO", f"{origin} by the probe"),
        ("INFO", f"{origin} printed"),
        ("WARNING", f"{origin} logged\nby the probe"),
    ]


def test_health_and_unknown_routes(probe: ComponentClient) -> None:
    assert probe.http.request("GET", f"{probe.url}/health").status == 200
    assert probe.http.request("GET", f"{probe.url}/v1/execute").status == 404
    assert probe.http.request("POST", f"{probe.url}/v2/execute", body=json.dumps({})).status == 404
