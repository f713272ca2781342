"""A platform's gateway: one base URL for several services, each with its own path prefix."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_CONNECTION_HEADERS = ("connection", "host", "transfer-encoding", "content-length")


@dataclass
class RoutedRequest:
    """A request that the gateway received; header names are lower-case."""

    path: str
    headers: dict[str, str]


@dataclass
class PathRouter:
    """Forwards requests by the prefix of their path, and answers all others as the platform itself."""

    url: str
    services: dict[str, str] = field(default_factory=dict)
    """The base URL of each service, by path prefix."""
    requests: list[RoutedRequest] = field(default_factory=list)

    def find_service(self, path: str) -> str | None:
        """Return the base URL of the service for a path."""
        return next((url for prefix, url in self.services.items() if path.startswith(prefix)), None)


@contextmanager
def start_path_router() -> Iterator[PathRouter]:
    """Start a gateway without services."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            router.requests.append(RoutedRequest(self.path, headers))
            service = router.find_service(self.path)
            if service is None:
                self._respond(
                    200, {"content-type": "application/json"}, json.dumps({"service": "platform"}).encode()
                )
                return
            connection = HTTPConnection(urlsplit(service).netloc, timeout=60)
            connection.request("POST", self.path, body, _end_to_end_headers(headers))
            response = connection.getresponse()
            content = response.read()
            connection.close()
            self._respond(response.status, _end_to_end_headers(dict(response.headers.items())), content)

        def _respond(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the inherited name)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        router = PathRouter(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield router
        server.shutdown()


def _end_to_end_headers(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _CONNECTION_HEADERS}
