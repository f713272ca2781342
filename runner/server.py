"""The runner's HTTP server: `POST /v1/execute` and `GET /health`."""

import contextlib
import hmac
import logging
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from runner.errors import (
    InvalidJson,
    MissingRoutingHeaders,
    RequestRejected,
    RequestTooLarge,
    RunnerError,
    Unauthorized,
)
from runner.idempotency import ResponseMemory
from runner.logs import bind_request
from runner.messages import ExecuteRequest, error_response, parse_request
from runner.sandbox.execution import ExtensionExecutor

logger = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 2 * 1024 * 1024
MAX_DISCARDED_BYTES = 64 * 1024 * 1024
DISCARD_SECONDS = 2.0
ROUTING_HEADERS = ("x-alga-tenant", "x-alga-extension")


class RunnerServer(ThreadingHTTPServer):
    """An HTTP server with one thread for each connection."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], executor: ExtensionExecutor, service_token: str | None
    ) -> None:
        super().__init__(address, _Handler)
        self.executor = executor
        self.service_token = service_token
        self.responses = ResponseMemory()


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
            self._send_text(404, "no such route")

    def do_POST(self) -> None:
        if self.path != "/v1/execute":
            self.close_connection = True
            return self._send_text(404, "no such route")
        with bind_request(self.headers.get("x-request-id", "")):
            try:
                body = self._read_body()
                self._check_token()
                self._execute_request(parse_request(body))
            except RequestRejected as error:
                logger.warning("rejected with %d: %s", error.status, error)
                self._send_text(error.status, str(error))
            except ConnectionError:
                logger.info("the caller left before the response")
                self.close_connection = True
            except Exception:
                logger.exception("the runner failed")
                self._send_text(500, "the runner failed")

    def _execute_request(self, request: ExecuteRequest) -> None:
        with bind_request(self.headers.get("x-request-id") or request.context.request_id or ""):
            try:
                response = self._find_or_execute(request)
            except RunnerError as error:
                logger.warning("%s", error.description)
                response = error_response(error)
            self._send_response(200, response)

    def _find_or_execute(self, request: ExecuteRequest) -> bytes:
        """Return the response of a finished execution with the same key, else execute the request.

        Only a response of the extension is stored, and only when it is there: the same key starts a second
        execution while the first one runs.
        """
        if not all(self.headers.get(name, "").strip() for name in ROUTING_HEADERS):
            raise MissingRoutingHeaders
        key = self.headers.get("x-idempotency-key", "")
        if key and (stored := self.server.responses.find_response(key)):
            logger.info("the response comes from the memory of key %s", key)
            return stored
        start_time = time.monotonic()
        executed = self.server.executor.execute(request)
        response = executed.to_json()
        if key:
            self.server.responses.save_response(key, response)
        milliseconds = (time.monotonic() - start_time) * 1000
        logger.info(
            "install %s: status %d in %.0f ms", request.context.install_id, executed.status, milliseconds
        )
        return response

    def _check_token(self) -> None:
        expected_token = self.server.service_token
        token = self.headers.get("x-runner-service-token", "")
        if expected_token and not hmac.compare_digest(token.encode(), expected_token.encode()):
            raise Unauthorized("x-runner-service-token is missing or wrong")

    def _read_body(self) -> bytes:
        length = self.headers.get("content-length", "")
        if not length.isdecimal():
            self.close_connection = True
            raise InvalidJson("content-length is missing or not a number")
        if int(length) > MAX_REQUEST_BYTES:
            self.close_connection = True
            self._discard_body(int(length))
            raise RequestTooLarge(f"the body is larger than {MAX_REQUEST_BYTES} bytes")
        return self.rfile.read(int(length))

    def _discard_body(self, length: int) -> None:
        """Read what the client sends, because it does not read the response before it has sent the body."""
        remaining = min(length, MAX_DISCARDED_BYTES)
        self.connection.settimeout(DISCARD_SECONDS)
        with contextlib.suppress(OSError):
            while remaining > 0 and (chunk := self.rfile.read1(min(remaining, 65_536))):
                remaining -= len(chunk)

    def _send_text(self, status: int, text: str) -> None:
        self._send_response(status, text.encode(), "text/plain; charset=utf-8")

    def _send_response(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited name
        logger.debug(format, *args)
