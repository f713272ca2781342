"""A runner whose responses a test chooses."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class RunnerRequest:
    """One request to the runner."""

    headers: Mapping[str, str]
    body: dict[str, Any]


RunnerResponse = tuple[int, bytes]


def extension_response(status: int = 200) -> RunnerResponse:
    """Build the runner's response for an extension that responds with the status."""
    return 200, json.dumps({"status": status, "headers": {}, "body_b64": ""}).encode()


@dataclass
class ScriptedRunner:
    """Responds to /v1/execute as a test chooses and records the requests."""

    port: int
    respond: Callable[[RunnerRequest], RunnerResponse] = field(default=lambda _request: extension_response())
    requests: list[RunnerRequest] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    def requests_for_schedule(self, schedule_id: str) -> list[RunnerRequest]:
        """Return the requests for the schedule."""
        return [request for request in self.requests if request.body["context"]["schedule_id"] == schedule_id]


@contextmanager
def start_scripted_runner(address: str = "127.0.0.1") -> Iterator[ScriptedRunner]:
    """Start a runner on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            request = RunnerRequest(dict(self.headers.items()), json.loads(body))
            runner.requests.append(request)
            status, content = runner.respond(request)
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer((address, 0), Handler) as server:
        runner = ScriptedRunner(server.server_port)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield runner
        server.shutdown()
