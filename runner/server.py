"""The runner's HTTP server: `POST /v1/execute` and `GET /health`."""

import hmac
import json
import logging
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from runner.errors import InvalidRequest, RunnerError, Unauthorized
from runner.messages import parse_request
from runner.sandbox.execution import ExtensionExecutor

log = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 4 * 1024 * 1024


class RunnerServer(ThreadingHTTPServer):
    """An HTTP server with one thread for each connection."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], executor: ExtensionExecutor, service_token: str | None
    ) -> None:
        super().__init__(address, _Handler)
        self.executor = executor
        self.service_token = service_token


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Sends head and body in one packet without delay; otherwise each response waits for a delayed ACK.
    wbufsize = -1
    disable_nagle_algorithm: ClassVar[bool] = True
    server: RunnerServer

    def do_GET(self) -> None:
        if self.path == "/health":
            self._send_response(200, b'{"status": "ok"}')
        else:
            self._send_response(404, _error_body("NOT_FOUND", "no such route"))

    def do_POST(self) -> None:
        if self.path != "/v1/execute":
            self.close_connection = True
            return self._send_response(404, _error_body("NOT_FOUND", "no such route"))
        try:
            self._send_response(200, self._execute_request(self._read_body()))
        except RunnerError as error:
            log.warning("%s: %s", error.code, error)
            self._send_response(error.status, _error_body(error.code, str(error)))
        except Exception:
            log.exception("the runner failed")
            self._send_response(500, _error_body("INTERNAL_ERROR", "the runner failed"))

    def _execute_request(self, body: bytes) -> bytes:
        expected_token = self.server.service_token
        token = self.headers.get("x-runner-service-token", "")
        if expected_token and not hmac.compare_digest(token.encode(), expected_token.encode()):
            raise Unauthorized("x-runner-service-token is missing or wrong")
        return self.server.executor.execute(parse_request(body)).to_json()

    def _read_body(self) -> bytes:
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > MAX_REQUEST_BYTES:
            self.close_connection = True
            raise InvalidRequest(f"content-length is not a number up to {MAX_REQUEST_BYTES}")
        return self.rfile.read(int(length))

    def _send_response(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited name
        log.debug(format, *args)


def _error_body(code: str, message: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()
