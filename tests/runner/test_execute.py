"""`POST /v1/execute` with a real component."""

import json
import logging
import re
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.component_client import INSTALL_ID, Executed, RunnerClient


def test_the_extension_sees_the_whole_request(probe: RunnerClient) -> None:
    body = "süß \N{ROCKET}".encode()
    executed = probe.execute(
        "POST",
        "/echo",
        body=body,
        query={"q": "a b&c", "many": ["1", "2"]},
        headers={"x-alga-tenant": "tenant-1", "x-note": "übung"},
    )
    assert executed.http_status == 200
    assert executed.answer["status"] == 200
    assert executed.answer["headers"] == {"content-type": "application/json"}
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


def test_what_may_be_absent_is_absent(probe: RunnerClient) -> None:
    request = probe.request("POST", "/echo")
    for name in ("request_id", "install_id", "version_id"):
        del request["context"][name]
    seen = probe.post(request).json()
    assert seen["body_b64"] is None
    assert seen["context"] == {
        "request_id": None,
        "tenant_id": "tenant-1",
        "extension_id": "registry-1",
        "install_id": None,
        "version_id": None,
    }


def test_every_byte_of_a_body_arrives(probe: RunnerClient) -> None:
    body = bytes(range(256)) * 400
    assert probe.execute("POST", "/echo", body=body).json()["body_b64"] == b64encode(body).decode()


def test_there_are_no_files_and_no_environment(probe: RunnerClient) -> None:
    assert probe.execute("GET", "/world").json()["environ"] == {}


def test_the_extensions_own_errors_are_its_answers(probe: RunnerClient) -> None:
    executed = probe.execute("GET", "/nowhere")
    assert (executed.http_status, executed.answer["status"]) == (200, 404)


@pytest.mark.parametrize(
    ("path", "status", "code", "message"),
    [
        ("/trap", 502, "EXTENSION_TRAP", "the probe gives up"),
        ("/secrets", 502, "HOST_CALL_REFUSED", "alga:extension/secrets.get is not available in this runner"),
        ("/storage", 502, "HOST_CALL_REFUSED", "alga:extension/storage.get is not available in this runner"),
        ("/hog", 502, "MEMORY_LIMIT", "the extension needs more memory than it may have"),
    ],
)
def test_a_failed_execution_says_why(
    probe: RunnerClient, path: str, status: int, code: str, message: str
) -> None:
    executed = probe.execute("GET", path)
    assert (executed.http_status, executed.error["code"]) == (status, code)
    assert message in executed.error["message"]
    assert "\n" not in executed.error["message"]


@pytest.mark.parametrize("path", ["/loop", "/sleep"])
def test_time_is_limited(probe: RunnerClient, path: str) -> None:
    executed = probe.execute("GET", path, timeout_ms=300)
    assert executed.http_status == 504
    assert executed.error == {"code": "TIME_LIMIT", "message": "the extension took longer than 300 ms"}


def big(probe: RunnerClient, size: int) -> Executed:
    return probe.execute("GET", "/big", query={"bytes": str(size)})


def largest_body(probe: RunnerClient) -> int:
    """What an answer of 256 KiB has room for: base64 has four bytes for each three."""
    around = len(json.dumps(big(probe, 0).answer))
    return (256 * 1024 - around) // 4 * 3


def test_an_answer_may_have_256_kib_as_json(probe: RunnerClient) -> None:
    most = largest_body(probe)
    executed = big(probe, most)
    assert executed.body == b"x" * most
    assert 256 * 1024 - 4 < len(json.dumps(executed.answer)) <= 256 * 1024


@pytest.mark.parametrize("more", [1, 70_000])
def test_a_larger_answer_is_an_error(probe: RunnerClient, more: int) -> None:
    executed = big(probe, largest_body(probe) + more)
    assert (executed.http_status, executed.error["code"]) == (502, "RESPONSE_TOO_LARGE")
    assert re.fullmatch(
        r"the answer would have \d{6} bytes as JSON \(max 262144\)", executed.error["message"]
    )


def test_a_response_beyond_all_measure_is_not_even_copied(probe: RunnerClient) -> None:
    executed = big(probe, 50_000_000)
    assert (executed.http_status, executed.error["code"]) == (502, "RESPONSE_TOO_LARGE")


def test_calls_at_the_same_time_do_not_mix(probe: RunnerClient) -> None:
    def echo(number: int) -> Any:
        request = probe.request("POST", "/echo", body=str(number).encode())
        request["context"]["request_id"] = f"request-{number}"
        if number % 2:
            del request["context"]["version_id"]
        return probe.post(request).json()["context"]

    with ThreadPoolExecutor(8) as pool:
        contexts = list(pool.map(echo, range(80)))
    assert [context["request_id"] for context in contexts] == [f"request-{n}" for n in range(80)]
    assert [context["version_id"] for context in contexts] == ["version-1", None] * 40


def test_logs_name_the_request_and_stay_on_one_line(
    probe: RunnerClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "extension"):
        probe.execute("GET", "/print")
    origin = f"[request request-1, install {INSTALL_ID}]"
    assert [
        (record.levelname, record.message) for record in caplog.records if record.name == "extension"
    ] == [
        ("WARNING", rf"{origin} logged\nby the probe"),
        ("INFO", f"{origin} printed"),
        ("INFO", f"{origin} by the probe"),
    ]


def test_a_flood_of_log_lines_is_cut(probe: RunnerClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "extension"):
        probe.execute("GET", "/chatter")
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
def test_a_wrong_request_is_told_which_field(probe: RunnerClient, change: Any, message: str) -> None:
    request = probe.request("GET", "/echo")
    change(request)
    executed = probe.post(request)
    assert (executed.http_status, executed.error["code"]) == (400, "INVALID_REQUEST")
    assert executed.error["message"].startswith(message)


def test_what_is_not_json_is_refused(probe: RunnerClient) -> None:
    executed = probe.post(b'{"context": ')
    assert (executed.http_status, executed.error["code"]) == (400, "INVALID_REQUEST")
    assert "JSON" in executed.error["message"]


def test_a_request_that_is_too_large_is_refused(probe: RunnerClient) -> None:
    executed = probe.post(b"{}", **{"content-length": "5000000"})
    assert (executed.http_status, executed.error["code"]) == (400, "INVALID_REQUEST")
    assert "content-length" in executed.error["message"]


def test_an_unknown_component_is_not_found(probe: RunnerClient) -> None:
    request = probe.request("GET", "/echo")
    request["context"]["content_hash"] = "sha256:" + "0" * 64
    executed = probe.post(request)
    assert (executed.http_status, executed.error["code"]) == (404, "COMPONENT_NOT_FOUND")
    assert request["context"]["content_hash"] in executed.error["message"]


def test_health_and_unknown_routes(probe: RunnerClient) -> None:
    assert probe.http.request("GET", f"{probe.url}/health").status == 200
    assert probe.http.request("GET", f"{probe.url}/v1/execute").status == 404
    assert probe.http.request("POST", f"{probe.url}/v2/execute", body=json.dumps({})).status == 404
