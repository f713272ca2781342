"""The local stack's HTTP server: serves the local routes and the API."""

from __future__ import annotations

import logging
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from uuid import uuid4

from local.gateway import control, lambda_api
from local.gateway.api import MAX_REQUEST_BYTES, too_large_response
from local.gateway.messages import Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.gateway.api import HttpApi
    from local.gateway.control import ControlApi
    from local.gateway.lambda_api import LambdaApi

logger = logging.getLogger("local")
_PIECE_BYTES = 65_536
_MAX_LINE_BYTES = 1024
_STATUSES_WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class UnreadableBody(Exception):
    """The body of a request cannot be read."""


class Gateway(ThreadingHTTPServer):
    """Serves 127.0.0.1 with one thread per connection."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, api: HttpApi, control: ControlApi, invoke_api: LambdaApi) -> None:
        self.api = api
        self.control = control
        self.invoke_api = invoke_api
        super().__init__(("127.0.0.1", port), _Handler)

    def respond(self, request: Request) -> Response:
        """Return the response to a request; 500 on any exception."""
        try:
            return self._find_handler(request.path).handle_request(request)
        except Exception:
            logger.exception("%s %s", request.method, request.path)
            return json_response(500, {"message": "Internal Server Error"})

    def _find_handler(self, path: str) -> HttpApi | ControlApi | LambdaApi:
        if path.startswith(f"{lambda_api.PREFIX}/"):
            return self.invoke_api
        return self.control if path.startswith(control.PREFIX) else self.api


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "local"
    sys_version = ""
    disable_nagle_algorithm = True
    server: Gateway

    def handle(self) -> None:
        """Serve the connection; the client may disconnect at any time."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def handle_http(self) -> None:
        """Read a request and send the response."""
        try:
            body = self._read_body()
        except UnreadableBody as error:
            self.close_connection = True
            self._send_response(json_response(400, {"message": str(error)}))
            return
        if body is None:
            self.close_connection = True
            self._send_response(too_large_response())
            return
        self._send_response(self.server.respond(self._build_request(body)))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_TRACE = handle_http  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Suppress the line per request."""

    def _build_request(self, body: bytes) -> Request:
        path, _, query = self.path.partition("?")
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            key = name.lower()
            headers[key] = f"{headers[key]},{value}" if key in headers else value
        return Request(
            method=self.command,
            path=path,
            query=query,
            headers=headers,
            body=body,
            request_id=str(uuid4()),
            source_ip=str(self.client_address[0]),
            protocol=self.request_version,
        )

    def _read_body(self) -> bytes | None:
        """Return the request's body; None if it is over the limit.

        An oversized body is read to its end, too, since the client would not receive the response otherwise.

        Raises:
            UnreadableBody: The body ends early or its length is invalid.
        """
        chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        body, size = bytearray(), 0
        for piece in (
            self._read_chunks() if chunked else self._read_pieces(self.headers.get("content-length", "0"))
        ):
            size += len(piece)
            if size <= MAX_REQUEST_BYTES:
                body += piece
        return bytes(body) if size <= MAX_REQUEST_BYTES else None

    def _read_pieces(self, length: str, base: int = 10) -> Iterator[bytes]:
        try:
            remaining = int(length, base)
        except ValueError:
            raise UnreadableBody("Bad Request") from None
        while remaining > 0:
            piece = self.rfile.read(min(remaining, _PIECE_BYTES))
            if not piece:
                raise UnreadableBody("Bad Request")
            remaining -= len(piece)
            yield piece

    def _read_chunks(self) -> Iterator[bytes]:
        while True:
            size = self.rfile.readline(_MAX_LINE_BYTES).partition(b";")[0].decode("latin-1").strip()
            yield from self._read_pieces(size, base=16)
            self.rfile.readline(_MAX_LINE_BYTES)
            if not size.strip("0"):
                return

    def _send_response(self, response: Response) -> None:
        bodiless = response.status in _STATUSES_WITHOUT_BODY
        self.send_response(response.status)
        for name, value in response.headers:
            if name not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        if not bodiless:
            self.send_header("content-length", str(len(response.body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if not bodiless and self.command != "HEAD":
            self.wfile.write(response.body)
