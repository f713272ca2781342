"""The operator's console on a test world, called in this process or served to a browser."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from threading import Thread

import httpx
import uvicorn

from scheduling_admin.console.app import build_app
from scheduling_admin.console.security import Gate
from scheduling_admin.stack.connection import connect
from scheduling_admin.stack.options import CommonOptions
from scheduling_admin.stack.session import AdminSession


@dataclass
class ConsoleClient:
    """A browser without JavaScript; `origin` is the console's."""

    session: AdminSession
    http: httpx.Client
    origin: str

    def get(self, path: str, **parameters: str) -> httpx.Response:
        """Return a page; follows no redirect."""
        return self.http.get(path, params=parameters or None)

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Submit a form of the console."""
        return self.http.post(
            path, data=fields, headers={"origin": self.origin, "sec-fetch-site": "same-origin"}
        )

    def read(self, path: str, **parameters: str) -> str:
        """Return the text of a page without its markup, in one line."""
        response = self.get(path, **parameters)
        assert response.status_code == 200, response.text
        return strip_markup(response.text)


def strip_markup(page: str) -> str:
    """Return the text of a page, in one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page))).strip()


@contextmanager
def open_console(
    options: CommonOptions | None = None, *, read_only: bool = False, sign_in: bool = True
) -> Iterator[ConsoleClient]:
    """Start the console, and sign in; without options, within `create_admin_cli`."""
    session = connect(options or CommonOptions())
    with serve_console(session, read_only=read_only) as url:
        origin = url.partition("/?")[0]
        with httpx.Client(base_url=origin) as http:
            if sign_in:
                assert http.get(url).status_code == 303
            yield ConsoleClient(session, http, origin)


@contextmanager
def serve_console(session: AdminSession, *, read_only: bool = False) -> Iterator[str]:
    """Serve the console to a browser, and return the URL that signs in."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        gate = Gate(listener.getsockname()[1])
        app = build_app(session, gate, read_only=read_only)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        thread = Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield gate.url
        finally:
            server.should_exit = True
            thread.join(5)
