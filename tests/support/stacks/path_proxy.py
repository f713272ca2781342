"""A reverse proxy that routes by path, as a platform puts one base URL before several services."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

_HOP_HEADERS = {"host", "connection", "content-length", "transfer-encoding", "content-encoding"}


@contextmanager
def start_path_proxy(urls_by_prefix: Mapping[str, str]) -> Iterator[str]:
    """Forward each POST to the service whose prefix its path has, and yield the base URL; other paths are 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            url = next((url for prefix, url in urls_by_prefix.items() if self.path.startswith(prefix)), None)
            if url is None:
                self._send(404, b"{}", {})
                return
            headers = _forwarded_headers(dict(self.headers.items()))
            response = client.post(url + self.path, content=body, headers=headers)
            self._send(response.status_code, response.content, _forwarded_headers(response.headers))

        def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    with httpx.Client(timeout=60) as client, ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _forwarded_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_HEADERS}
