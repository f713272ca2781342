"""A runner whose responses a test chooses."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.oracles.execute_requests import find_violations
from tests.support.oracles.execute_types import find_rejection


@dataclass
class RunnerRequest:
    """One request to the runner, as received."""

    path: str
    raw_headers: Sequence[tuple[str, str]]
    raw_body: bytes

    @cached_property
    def headers(self) -> dict[str, str]:
        """The headers by lower-case name."""
        return {name.lower(): value for name, value in self.raw_headers}

    @cached_property
    def body(self) -> dict[str, Any]:
        """The body as JSON."""
        return dict(json.loads(self.raw_body))


RunnerResponse = tuple[int, bytes]
Respond = Callable[[RunnerRequest], RunnerResponse | None]
"""Returns the HTTP status and body; None closes the connection without a response."""


def extension_response(status: int = 200) -> RunnerResponse:
    """Build the runner's response for an extension that responds with the status."""
    return 200, json.dumps({"status": status, "headers": {}, "body_b64": ""}).encode()


@dataclass
class ScriptedRunner:
    """Responds to /v1/execute as a test chooses, and records the requests.

    If `strict`, it rejects what a deployed runner rejects, and records every violation of the interface.
    """

    port: int
    strict: bool = False
    respond: Respond = field(default=lambda _request: extension_response())
    requests: list[RunnerRequest] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    def requests_for_schedule(self, schedule_id: str) -> list[RunnerRequest]:
        """Return the requests for the schedule."""
        return [request for request in self.requests if request.body["context"]["schedule_id"] == schedule_id]

    def handle_request(self, request: RunnerRequest) -> RunnerResponse | None:
        """Record and check the request, and return the response."""
        self.requests.append(request)
        if self.strict:
            self.violations += find_violations(request.path, request.raw_headers, request.raw_body)
            if rejection := find_rejection(request.raw_body):
                return rejection.status, rejection.text.encode()
        return self.respond(request)

    def assert_no_violations(self) -> None:
        """Fail if a request since the last call violates the interface."""
        violations, self.violations = self.violations, []
        assert violations == []


@contextmanager
def start_scripted_runner(
    address: str = "127.0.0.1", *, strict: bool = False, port: int = 0
) -> Iterator[ScriptedRunner]:
    """Start a runner, on a free port by default."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw_body = self.rfile.read(int(self.headers["content-length"]))
            response = runner.handle_request(RunnerRequest(self.path, self.headers.items(), raw_body))
            if response is None:
                return
            status, content = response
            with suppress(ConnectionError):  # the caller may have left
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer((address, port), Handler) as server:
        runner = ScriptedRunner(server.server_port, strict=strict)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield runner
        server.shutdown()
