"""The runner's HTTP server: `POST /v1/execute` and `GET /health`."""

import contextlib
import hmac
import json
import logging
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from runner.errors import (
    AtCapacity,
    InvalidJson,
    MissingRoutingHeaders,
    RequestRejected,
    RequestTooLarge,
    RunnerError,
    Unauthorized,
)
from runner.idempotency import ResponseMemory
from runner.logs import bind_origin
from runner.messages import ExecuteRequest, parse_json, parse_request, read_text
from runner.responses import error_response
from runner.workers.executor import ExtensionExecutor
from runner.workers.watch import ComponentWatcher

logger = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 2 * 1024 * 1024
MAX_DISCARDED_BYTES = 64 * 1024 * 1024
DISCARD_SECONDS = 2.0
TEXT = "text/plain; charset=utf-8"
RETRY_SECONDS = "1"
ROUTING_HEADERS = ("x-alga-tenant", "x-alga-extension")


class RunnerServer(ThreadingHTTPServer):
    """An HTTP server with one thread for each connection."""

    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        executor: ExtensionExecutor,
        watcher: ComponentWatcher,
        service_token: str | None,
    ) -> None:
        self.executor = executor
        self.watcher = watcher
        self.service_token = service_token
        self.responses = ResponseMemory()
        super().__init__(address, _Handler)  # last, because it closes the server if the port is in use

    def server_close(self) -> None:
        """Close the socket, and end the watcher and the worker processes."""
        super().server_close()
        self.watcher.stop()
        self.executor.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Sends head and body in one packet without delay; otherwise each response waits for a delayed ACK.
    wbufsize = -1
    disable_nagle_algorithm: ClassVar[bool] = True
    server: RunnerServer

    def do_GET(self) -> None:
        if self.path == "/health":
            self._send_response(200, json.dumps(self._describe_health()).encode())
        else:
            self._send_text(404, "no such route")

    def do_POST(self) -> None:
        if self.path != "/v1/execute":
            self.close_connection = True
            return self._send_text(404, "no such route")
        with contextlib.ExitStack() as origin:
            request_id = self.headers.get("x-request-id", "")
            origin.enter_context(bind_origin(request_id=request_id))
            target = "tenant {}, extension {}".format(*map(self.headers.get, ROUTING_HEADERS))
            try:
                fields = self._read_fields()
                origin.enter_context(_bind_origin_of(fields, request_id))
                target = f"{read_text(fields, 'http', 'method')} {read_text(fields, 'http', 'path')}"
                self._execute_request(parse_request(fields), target)
            except RequestRejected as error:
                logger.warning("%s: rejected with %d: %s", target, error.status, error)
                self._send_rejection(error)
            except ConnectionError:
                logger.info("the caller left before the response")
                self.close_connection = True
            except Exception:
                logger.exception("the runner failed")
                self._send_text(500, "the runner failed")

    def _describe_health(self) -> dict[str, Any]:
        """Return the state; only who may execute extensions learns which there are."""
        if not self._has_token():
            return {"status": "ok"}
        components = [watched.as_json() for watched in self.server.watcher.list_components()]
        return {"status": "ok", "components": components}

    def _read_fields(self) -> Any:
        body = self._read_body()
        self._check_token()
        return parse_json(body)

    def _execute_request(self, request: ExecuteRequest, target: str) -> None:
        try:
            response = self._find_or_execute(request)
        except RunnerError as error:
            logger.warning("%s: %s", target, error.description)
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
        status, response = self.server.executor.execute(request)
        if key:
            self.server.responses.save_response(key, response)
        milliseconds = (time.monotonic() - start_time) * 1000
        logger.info(
            "%s %s: status %d in %.0f ms", request.http.method, request.http.path, status, milliseconds
        )
        return response

    def _has_token(self) -> bool:
        expected_token = self.server.service_token
        token = self.headers.get("x-runner-service-token", "")
        return not expected_token or hmac.compare_digest(token.encode(), expected_token.encode())

    def _check_token(self) -> None:
        if not self._has_token():
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

    def _send_rejection(self, error: RequestRejected) -> None:
        headers = {"retry-after": RETRY_SECONDS} if isinstance(error, AtCapacity) else {}
        self._send_response(error.status, str(error).encode(), TEXT, headers)

    def _send_text(self, status: int, text: str) -> None:
        self._send_response(status, text.encode(), TEXT)

    def _send_response(
        self,
        status: int,
        body: bytes,
        content_type: str = "application/json",
        headers: Mapping[str, str] = {},
    ) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited name
        logger.debug(format, *args)


def _bind_origin_of(fields: Any, request_id: str) -> AbstractContextManager[None]:
    """Bind the ids of a request, which may be invalid."""
    ids = {name: read_text(fields, "context", name) for name in ("request_id", "install_id", "schedule_id")}
    ids["request_id"] = request_id or ids["request_id"]
    return bind_origin(**ids, occurrence=read_text(fields, "context", "scheduled_for"))
