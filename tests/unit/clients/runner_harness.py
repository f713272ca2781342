"""A runner that responds with the bytes that a test sets, and the client that calls it."""

import base64
import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scheduling.clients.runner import RunnerClient
from scheduling.domain.install import Install, InstallConfig
from scheduling.domain.runs import Execution, Fire, Outcome, Run, RunStatus, build_next_attempt
from scheduling.settings import RunnerSettings

from tests.unit.builders import NOW, fire, install, schedule

DRIPS, DRIP_SECONDS = 90, 0.1
"""A dripping response takes 9 s, much longer than the client may wait, and is never silent for that long."""
Respond = Callable[[socket.socket, threading.Event], None]
CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@dataclass
class ReceivedRequest:
    method: str
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        return dict(json.loads(self.raw))


class _Handler(socketserver.StreamRequestHandler):
    server: "LocalRunner"

    def handle(self) -> None:
        method, path, _version = self.rfile.readline().decode().split()
        headers = {}
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        raw = self.rfile.read(int(headers["content-length"]))
        self.server.received.append(ReceivedRequest(method, path, headers, raw))
        self.server.respond(self.connection, self.server.stopping)
        self.server.finished.set()


class LocalRunner(socketserver.ThreadingTCPServer):
    """A server that gives each connection the response that a test sets, byte for byte."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[ReceivedRequest] = []
        self.stopping = threading.Event()
        self.finished = threading.Event()
        """Set once a response was sent completely, not if the client has closed the connection before."""
        self.closed_connections = threading.Semaphore(0)
        self.respond: Respond = respond_with(b"{}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.closed_connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that have closed the connection."""


def respond_with(body: bytes, status: str = "200 OK", headers: str = "") -> Respond:
    """Respond completely, with the length."""

    def respond(connection: socket.socket, _stopping: threading.Event) -> None:
        head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n"
        connection.sendall(head.encode() + body)

    return respond


def send_bytes(data: bytes, *, reset: bool = False) -> Respond:
    """Send exactly these bytes, and close the connection."""

    def respond(connection: socket.socket, _stopping: threading.Event) -> None:
        connection.sendall(data)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    return respond


def drip_bytes(first: bytes, repeated_bytes: bytes, last: bytes = b"") -> Respond:
    """Send the bytes slowly; `first`, all `repeated_bytes` and `last` are a complete response."""

    def respond(connection: socket.socket, stopping: threading.Event) -> None:
        connection.sendall(first)
        for _ in range(DRIPS):
            if stopping.wait(DRIP_SECONDS):
                return
            connection.sendall(repeated_bytes)
        connection.sendall(last)

    return respond


def never_respond(_connection: socket.socket, stopping: threading.Event) -> None:
    stopping.wait(DRIPS * DRIP_SECONDS)


def extension_response(status: object, body: bytes | None = None) -> bytes:
    """Return the runner's response for this answer of the extension."""
    response: dict[str, object] = {"status": status, "headers": {"content-type": "text/plain"}}
    if body is not None:
        response["body_b64"] = base64.b64encode(body).decode()
    return json.dumps(response).encode()


def chunked_response(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces) + b"0\r\n\r\n"


def runner_error(text: object, status: int = 500) -> bytes:
    """Return the runner's response with an error of its own."""
    return json.dumps({"status": status, "headers": {}, "body_b64": None, "error": text}).encode()


@dataclass
class RunnerHarness:
    """The real client of the runner, and the execution that it is called for."""

    url: str
    timeout_ms: int = 30_000
    overhead_seconds: int = 2
    token: Callable[[], str] | None = None
    callback_token: Callable[[Install], str] | None = None
    authorities: Callable[[], str] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    install: Install = field(default_factory=install)
    config: InstallConfig = field(default_factory=InstallConfig)
    fire: Fire = field(default_factory=fire)
    previous_run: Run | None = None

    def execute_fire(self, **fields: Any) -> Outcome:
        settings = RunnerSettings(
            stack_name="stack-1",
            runner_base_url=self.url,
            runner_timeout_ms=self.timeout_ms,
            runner_overhead_seconds=self.overhead_seconds,
            **self.settings,
        )
        run = build_next_attempt(self.fire, self.previous_run, NOW, settings.lease)
        client = RunnerClient(settings, self.token, self.callback_token, self.authorities)
        return client.execute_endpoint(
            Execution(
                fire=self.fire,
                run=run,
                install=self.install,
                config=self.config,
                schedule=schedule(**fields),
            )
        )


def error_outcome(text: str, *, retryable: bool = True, **fields: Any) -> Outcome:
    return Outcome(status=RunStatus.ERROR, error=text, retryable=retryable, **fields)
