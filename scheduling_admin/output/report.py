"""What a command has to tell: a document for machines, and the same for people."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console, RenderableType
from scheduling.domain import exact_json

from scheduling_admin.errors import ExitStatus

PIPE_WIDTH = 160
"""Columns where the output is no terminal, which would have told its width."""


@dataclass(frozen=True)
class CommandReport:
    """`document` has what `--json` prints, numbers of payloads as they were written; `shown` is for people."""

    document: Mapping[str, object]
    renderables: Sequence[RenderableType] = field(default=())
    exit_status: ExitStatus = ExitStatus.OK

    def print_report(self, *, as_json: bool) -> None:
        """Print it to stdout."""
        if as_json:
            # JSON is UTF-8, whatever the terminal's encoding (RFC 8259).
            sys.stdout.buffer.write(f"{exact_json.dumps(self.document)}\n".encode())
            sys.stdout.flush()
            return
        console = create_console(sys.stdout)
        for renderable in self.renderables:
            console.print(renderable)


def create_console(stream: TextIO) -> Console:
    """A console that writes what it is given as it is, in colour on a terminal only."""
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)
