"""The result of a command: a JSON document for machines, and its presentation for people."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import TextIOWrapper
from typing import TextIO

from rich.console import Console, RenderableType
from scheduling.domain import exact_json

from scheduling_admin.errors import ExitStatus

PIPE_WIDTH = 160
"""The width in columns where the output is not a terminal and so has no width of its own."""


@dataclass(frozen=True)
class CommandReport:
    """The result of a command.

    `--json` prints `document`, with the numbers of payloads exactly as written; otherwise `renderables` are printed.
    """

    document: Mapping[str, object]
    renderables: Sequence[RenderableType] = field(default=())
    exit_status: ExitStatus = ExitStatus.OK

    def print_report(self, *, as_json: bool) -> None:
        """Print the report to stdout."""
        if as_json:
            # JSON is UTF-8 in any locale (RFC 8259).
            sys.stdout.buffer.write(f"{exact_json.dumps(self.document)}\n".encode())
            sys.stdout.flush()
            return
        console = create_console(sys.stdout)
        for renderable in self.renderables:
            console.print(renderable)


def create_console(stream: TextIO) -> Console:
    """Return a console that prints text unchanged, with colours on a terminal only."""
    if isinstance(stream, TextIOWrapper):  # in an ASCII terminal, a name in another script is escaped
        stream.reconfigure(errors="backslashreplace")
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)
