"""Calls of the runner whose response is late, cut off, informational, or does not come at all."""

import socket
import ssl
import threading
from datetime import timedelta
from http.client import HTTPConnection
from typing import Any

import pytest
from scheduling.domain.runs import NO_RESPONSE, UNRESOLVED_HOST, UNTRUSTED_HOST, Outcome, RunStatus

from tests.unit.clients.runner_harness import (
    CHUNKED,
    LocalRunner,
    Respond,
    RunnerHarness,
    drip_bytes,
    error_outcome,
    extension_response,
    never_respond,
    respond_with,
    runner_error,
    send_bytes,
)

TOO_SLOW = "The runner did not answer within 0.2 s"


@pytest.mark.parametrize(
    "respond",
    [
        pytest.param(never_respond, id="no response"),
        pytest.param(drip_bytes(b"HTTP/1.1 200 OK\r\n\r\n", b" ", b'{"status":200}'), id="a body that drips"),
        pytest.param(
            drip_bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 104\r\n\r\n", b" ", b'{"status":200}'),
            id="a body of known length that drips",
        ),
        pytest.param(
            drip_bytes(CHUNKED.encode(), b"1\r\n \r\n", b'e\r\n{"status":200}\r\n0\r\n\r\n'),
            id="chunks that drip",
        ),
        pytest.param(
            drip_bytes(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n", b'content-length: 14\r\n\r\n{"status":200}'),
            id="headers that drip",
        ),
        pytest.param(
            drip_bytes(b"HTTP/1.1 404 Not Found\r\n", b"x: y\r\n", b"content-length: 0\r\n\r\n"),
            id="a refusal's headers that drip",
        ),
        pytest.param(
            drip_bytes(b"HTTP/1.1 200 ", b"x", b'\r\ncontent-length: 14\r\n\r\n{"status":200}'),
            id="a status line that drips",
        ),
    ],
)
def test_late_response_is_an_error(
    local: LocalRunner,
    short_timeout_client: RunnerHarness,
    respond: Respond,
) -> None:
    local.respond = respond

    outcome = short_timeout_client.execute_fire()

    assert outcome == error_outcome(TOO_SLOW, runner_error=NO_RESPONSE)
    assert not local.finished.wait(0.05)


def test_slow_response_within_the_timeout_is_accepted(local: LocalRunner, client: RunnerHarness) -> None:
    body = extension_response(200)

    def respond(connection: socket.socket, stopping: threading.Event) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode())
        stopping.wait(0.02)
        connection.sendall(body)

    local.respond = respond

    assert client.execute_fire() == Outcome(status=RunStatus.SUCCESS, http_status=200)


def test_refused_connection_is_a_lack_of_capacity() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    assert RunnerHarness(f"http://127.0.0.1:{port}").execute_fire() == error_outcome(
        "The runner could not be reached: ConnectionRefusedError", retry_after=timedelta()
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(TimeoutError(), {"retry_after": timedelta()}, id="timed out"),
        pytest.param(OSError(113, "No route to host"), {"retry_after": timedelta()}, id="no route"),
        pytest.param(ConnectionResetError(), {"retry_after": timedelta()}, id="reset"),
        pytest.param(socket.gaierror(-2, "unknown"), {"runner_error": UNRESOLVED_HOST}, id="unknown name"),
        pytest.param(
            ssl.SSLCertVerificationError(), {"runner_error": UNTRUSTED_HOST}, id="untrusted certificate"
        ),
        pytest.param(ssl.SSLError(), {"runner_error": UNTRUSTED_HOST}, id="no TLS"),
    ],
)
def test_connection_that_cannot_be_made_is_no_attempt_unless_the_address_is_wrong(
    monkeypatch: pytest.MonkeyPatch, error: OSError, expected: dict[str, Any]
) -> None:
    def fail(_connection: HTTPConnection) -> None:
        raise error

    monkeypatch.setattr(HTTPConnection, "connect", fail)

    assert RunnerHarness("http://runner.example").execute_fire() == error_outcome(
        f"The runner could not be reached: {type(error).__name__}", **expected
    )


def test_a_runner_that_is_slow_before_it_starts_reports_its_own_time_limit(
    local: LocalRunner, client: RunnerHarness
) -> None:
    """It compiles for longer than the run may take, and only then limits the time of the run."""
    client.timeout_ms, client.overhead_seconds = 100, 30

    def compile_and_interrupt(connection: socket.socket, stopping: threading.Event) -> None:
        stopping.wait(0.4)
        respond_with(runner_error("execute_failed: wasm trap: interrupt"))(connection, stopping)

    local.respond = compile_and_interrupt

    assert client.execute_fire() == error_outcome(
        "execute_failed: wasm trap: interrupt", runner_error="execute_failed"
    )


INFORMATIONAL = {
    "100": b"HTTP/1.1 100 Continue\r\n\r\n",
    "102": b"HTTP/1.1 102 Processing\r\nx-progress: 1\r\n\r\n",
    "103": b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\nconnection: close\r\n\r\n",
}


@pytest.mark.parametrize("before", [["100"], ["102"], ["103"], ["102", "100", "103", "102"]], ids="-".join)
def test_informational_responses_are_skipped(
    local: LocalRunner, client: RunnerHarness, before: list[str]
) -> None:
    final = b'HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{"status":200}'
    local.respond = send_bytes(b"".join(INFORMATIONAL[status] for status in before) + final)

    assert client.execute_fire() == Outcome(status=RunStatus.SUCCESS, http_status=200)


def test_informational_responses_without_a_final_one_are_an_error(
    local: LocalRunner, client: RunnerHarness
) -> None:
    local.respond = send_bytes(INFORMATIONAL["102"])

    assert client.execute_fire() == error_outcome("The connection to the runner failed: RemoteDisconnected")


def test_informational_responses_do_not_extend_the_time(
    local: LocalRunner, short_timeout_client: RunnerHarness
) -> None:
    local.respond = drip_bytes(b"", INFORMATIONAL["102"], b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    assert short_timeout_client.execute_fire() == error_outcome(TOO_SLOW, runner_error=NO_RESPONSE)


@pytest.mark.parametrize(
    ("respond", "kind"),
    [
        pytest.param(send_bytes(b""), "RemoteDisconnected", id="closed before the response"),
        pytest.param(send_bytes(b"", reset=True), "ConnectionResetError", id="reset before the response"),
        pytest.param(
            send_bytes(b'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"status":200}', reset=True),
            "ConnectionResetError",
            id="reset in the middle",
        ),
        pytest.param(
            send_bytes(b'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"status":200}'),
            "IncompleteRead",
            id="closed in the middle",
        ),
        pytest.param(
            send_bytes(CHUNKED.encode() + b'e\r\n{"status":200}\r\n'),
            "IncompleteRead",
            id="closed between chunks",
        ),
        pytest.param(
            send_bytes(CHUNKED.encode() + b'e\r\n{"status"'),
            "IncompleteRead",
            id="closed in a chunk",
        ),
        pytest.param(
            send_bytes(CHUNKED.encode() + b"zz\r\n"),
            "IncompleteRead",
            id="a chunk of no length",
        ),
        pytest.param(
            send_bytes(b'HTTP/1.1 200 OK\r\n\r\n{"status":200,"body_b64":"YQ'),
            "IncompleteRead",
            id="closed in the middle of a string, without a length",
        ),
        pytest.param(
            send_bytes(b'HTTP/1.0 200 OK\r\n\r\n{"status":2'),
            "IncompleteRead",
            id="closed in the middle of a number, without a length",
        ),
        pytest.param(send_bytes(b"SSH-2.0-x\r\n"), "BadStatusLine", id="not HTTP"),
        pytest.param(
            send_bytes(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200 + b"\r\n"),
            "HTTPException",
            id="200 headers",
        ),
        pytest.param(
            send_bytes(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n"),
            "LineTooLong",
            id="a header of 70 kB",
        ),
    ],
)
def test_broken_connection_is_an_error(
    local: LocalRunner,
    client: RunnerHarness,
    respond: Respond,
    kind: str,
) -> None:
    local.respond = respond

    assert client.execute_fire() == error_outcome(f"The connection to the runner failed: {kind}")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"status":200} x', b'{"status" 200', b"[200"])
def test_a_body_without_a_length_that_is_no_beginning_is_not_understood(
    local: LocalRunner, client: RunnerHarness, body: bytes
) -> None:
    local.respond = send_bytes(b"HTTP/1.1 200 OK\r\n\r\n" + body)

    outcome = client.execute_fire()

    assert (outcome.error, outcome.retryable) == ("The runner's answer is not understood", False)


def test_call_is_never_repeated(local: LocalRunner, client: RunnerHarness) -> None:
    local.respond = send_bytes(b"", reset=True)

    client.execute_fire()

    assert len(local.received) == 1


def test_a_client_does_not_reuse_connections(local: LocalRunner, client: RunnerHarness) -> None:
    local.respond = respond_with(extension_response(200))

    for _ in range(3):
        assert client.execute_fire() == Outcome(status=RunStatus.SUCCESS, http_status=200)
        assert local.closed_connections.acquire(timeout=5)

    assert len(local.received) == 3
