"""Starts the console."""

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, cast

import uvicorn
from rich.console import Console as Terminal
from starlette.applications import Starlette

from scheduling_admin.console import routes, schedule_routes
from scheduling_admin.console.actions import routes as action_routes
from scheduling_admin.console.reads import attempt
from scheduling_admin.console.security import Gate
from scheduling_admin.console.server import Console, create_app
from scheduling_admin.stack.session import AdminSession

if TYPE_CHECKING:
    import boto3

_SHUTDOWN_SECONDS = 1


class _SharedSession:
    """A session for all threads: boto3 makes no clients in several threads at once, but these may use one."""

    def __init__(self, session: "boto3.Session") -> None:
        self._session = session
        self._lock = Lock()
        self._clients: dict[str, object] = {}

    def client(self, name: str) -> object:
        """Return the client of a service, made by the first caller."""
        with self._lock:
            if name not in self._clients:
                self._clients[name] = self._session.client(name)  # type: ignore[call-overload]
            return self._clients[name]


def build_app(session: AdminSession, gate: Gate, *, read_only: bool = False) -> Starlette:
    """Return the application for a session; the commands that it runs print nothing."""
    # The table's client is made by the first read, with the session of the thread that makes it, which has the profile.
    attempt(session.services.sweeps.read_sweep_state)
    silent = Terminal(quiet=True, force_terminal=False)
    shared = cast("boto3.Session", _SharedSession(session.boto_session))
    session = replace(session, console=silent, boto_session=shared)
    _ = session.dead_letter_queues, session.unpublished_queue  # one for all threads
    return create_app(
        Console(session, gate, read_only),
        [*routes.ROUTES, *schedule_routes.ROUTES, *action_routes.ROUTES],
    )


def serve(
    session: AdminSession,
    listener: socket.socket,
    announce: Callable[[str], None],
    *,
    read_only: bool = False,
) -> None:
    """Serve the console on the socket until Ctrl-C; `announce` is called with the URL to open."""
    gate = Gate(listener.getsockname()[1])
    config = uvicorn.Config(
        build_app(session, gate, read_only=read_only),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    announce(gate.url)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
