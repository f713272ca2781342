"""Starts the operator's console beside the stack, as the command line would."""

from __future__ import annotations

import re
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local.cloudformation.deploy import STACK_NAME
from local.errors import StackError
from local.processes import ChildProcess
from local.settings import DEFAULT_CONSOLE_PORT, child_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.settings import Settings

_ANNOUNCEMENT = "The console is at"


@contextmanager
def run_console(settings: Settings) -> Iterator[str]:
    """Run the console until the end of the ``with`` block; return a line that says where it is, or why it is not.

    The stack works without it, so that a console that cannot start does not end it.
    """
    if settings.console_port == 0:
        yield ""
        return
    log = settings.logs / "console.log"
    port = _choose_port(settings.console_port)
    arguments = ("--port", str(port), "--stack-name", STACK_NAME, "--endpoint-url", settings.aws_url)
    child = ChildProcess("scheduling_admin", "console", *arguments, environ=child_environment(), log=log)
    try:
        yield _describe_console(child, port)
    finally:
        child.stop()


def _describe_console(child: ChildProcess, port: int) -> str:
    try:
        child.wait_until_ready(f"http://127.0.0.1:{port}/", _ANNOUNCEMENT)
    except StackError as error:
        return f"The console is not available: {error}\n"
    url = re.search(rf"{_ANNOUNCEMENT} (\S+)", child.log.read_text(encoding="utf-8"))
    return f"The console, with timelines of all schedules: {url[1] if url else ''}\n"


def _choose_port(port: int | None) -> int:
    """Return the port that the user has set; else the default one, or a free one if another stack's console has it."""
    if port is not None:
        return port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", DEFAULT_CONSOLE_PORT))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
