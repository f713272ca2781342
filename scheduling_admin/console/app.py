"""Starts the console."""

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import uvicorn
from rich.console import Console as Terminal
from starlette.applications import Starlette

from scheduling_admin.console import action_routes, routes, schedule_routes
from scheduling_admin.console.reads import attempt
from scheduling_admin.console.security import Gate
from scheduling_admin.console.server import Console, create_app
from scheduling_admin.stack.session import AdminSession

_SHUTDOWN_SECONDS = 1


def build_app(session: AdminSession, gate: Gate, *, read_only: bool = False) -> Starlette:
    """Return the application for a session; the commands that it runs print nothing."""
    # The table's client is made by the first read, with the session of the thread that makes it, which has the profile.
    attempt(session.services.sweeps.read_sweep_state)
    silent = Terminal(quiet=True, force_terminal=False)
    return create_app(
        Console(replace(session, console=silent), gate, read_only),
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
