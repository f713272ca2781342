"""A runner under the tests' control."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    """One request that the runner got."""

    headers: Mapping[str, str]
    body: dict[str, Any]


Answer = tuple[int, bytes]


def extension_answer(status: int = 200) -> Answer:
    """The runner's answer when the extension answered with the status."""
    return 200, json.dumps({"status": status, "headers": {}, "body_b64": ""}).encode()


@dataclass
class ScriptedRunner:
    """Answers /v1/execute as a test says, and keeps what it was asked."""

    port: int
    answer: Callable[[Asked], Answer] = field(default=lambda _asked: extension_answer())
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def of(self, schedule_id: str) -> list[Asked]:
        """What was asked for the schedule."""
        return [asked for asked in self.asked if asked.body["context"]["schedule_id"] == schedule_id]


@contextmanager
def scripted_runner(address: str = "127.0.0.1") -> Iterator[ScriptedRunner]:
    """A runner that listens."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            asked = Asked(dict(self.headers.items()), json.loads(body))
            runner.asked.append(asked)
            status, answer = runner.answer(asked)
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer((address, 0), Handler) as server:
        runner = ScriptedRunner(server.server_port)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield runner
        server.shutdown()
