"""The command `console`."""

import socket
import sys
from typing import Annotated

import typer

from scheduling_admin.errors import AdminError, ExitStatus
from scheduling_admin.output.report import CommandReport
from scheduling_admin.stack.session import AdminSession

DEFAULT_PORT = 4580
PortOption = Annotated[
    int, typer.Option(min=0, max=65535, help="The port of 127.0.0.1; 0 selects a free one.")
]
ReadOnlyOption = Annotated[bool, typer.Option("--read-only", help="Refuse every action.")]


def console(
    session: AdminSession, port: PortOption = DEFAULT_PORT, read_only: ReadOnlyOption = False
) -> CommandReport:
    """Serve pages with timelines, explanations and actions on 127.0.0.1, until Ctrl-C.

    It prints a URL that signs one browser in, once. The pages use your AWS credentials, and nobody else's browser or
    page gets in.
    """
    from scheduling_admin.console.app import serve  # other commands do without a web server

    if session.json_output:
        raise AdminError("console has no JSON document: omit --json.", ExitStatus.USAGE)

    def announce(url: str) -> None:
        sys.stdout.write(f"The console is at {url}\n")
        sys.stdout.flush()

    with _listen(port) as listener:
        serve(session, listener, announce, read_only=read_only)
    return CommandReport({})


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen()  # so that the URL works from the moment it is printed
    except OSError as error:
        listener.close()
        text = f"Port {port} cannot be used ({error.strerror}): choose another one with --port."
        raise AdminError(text, ExitStatus.USAGE) from error
    return listener
