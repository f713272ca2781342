"""A callback API that records requests and returns the response that a test sets."""

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOLD_SECONDS = 60
# A schedule as the API returns it, and as the extension receives it.
SCHEDULE_JSON = {
    "id": "5f0c8d2e-7a61-4c7e-9c1a-3b2d1e0f4a55",
    "endpointPath": "/api/sync",
    "endpointMethod": "POST",
    "name": "nightly",
    "cron": "0 3 * * *",
    "timezone": "Europe/Berlin",
    "enabled": True,
    "payload": None,
    "lastRunAt": None,
    "lastRunStatus": None,
    "lastError": None,
    "createdAt": "2026-11-23T09:00:00Z",
    "addedLater": [1],
}
SCHEDULE_INFO = {
    "id": SCHEDULE_JSON["id"],
    "endpoint_path": "/api/sync",
    "endpoint_method": "POST",
    "name": "nightly",
    "cron": "0 3 * * *",
    "timezone": "Europe/Berlin",
    "enabled": True,
    "payload": None,
    "last_run_at": None,
    "last_run_status": None,
    "last_error": None,
    "created_at": "2026-11-23T09:00:00Z",
}


@dataclass
class RecordedRequest:
    """A recorded callback."""

    path: str
    headers: dict[str, str]
    body: str


@dataclass
class RecordingScheduler:
    """Responds to every request with `status` and `body`, gzipped."""

    status: int = 200
    body: str = '{"success": true}'
    hold: threading.Event | None = None
    """Unless None, requests are held until the event is set, and then get no response."""
    requests: list[RecordedRequest] = field(default_factory=list)
    hold_expired: bool = False
    """Whether a request was held until `HOLD_SECONDS` had passed."""
    url: str = ""

    def set_response(self, status: int, body: object) -> None:
        """Set the response to all requests; a str is sent unchanged."""
        self.status, self.body = status, body if isinstance(body, str) else json.dumps(body)

    def hold_requests(self) -> None:
        """Hold all requests until the next reset."""
        self.hold = threading.Event()

    def wait_for_requests(self, count: int) -> None:
        """Wait until `count` requests have arrived."""
        deadline = time.monotonic() + HOLD_SECONDS
        while len(self.requests) < count:
            assert time.monotonic() < deadline, f"{len(self.requests)} of {count} requests arrived"
            time.sleep(0.01)

    def reset(self) -> None:
        """Delete the recorded requests, release those that are held and restore the default response."""
        self.set_response(200, {"success": True})
        if self.hold:
            self.hold.set()
        self.hold, self.hold_expired = None, False
        self.requests.clear()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: "_Server"

    def do_POST(self) -> None:
        recorder = self.server.recorder
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        recorder.requests.append(RecordedRequest(self.path, headers, body))
        if hold := recorder.hold:
            recorder.hold_expired |= not hold.wait(HOLD_SECONDS)
            self.close_connection = True
            return
        response = gzip.compress(recorder.body.encode())
        self.send_response(recorder.status)
        self.send_header("content-encoding", "gzip")
        self.send_header("content-length", str(len(response)))
        self.end_headers()
        self.wfile.write(response)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited name
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, recorder: RecordingScheduler) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.recorder = recorder


@contextmanager
def recording_scheduler() -> Iterator[RecordingScheduler]:
    """Start a RecordingScheduler and yield it."""
    recorder = RecordingScheduler()
    with _Server(recorder) as server:
        recorder.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield recorder
        server.shutdown()
