"""What a command has to tell: a document for machines, and the same for people."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console, RenderableType
from scheduling.domain import exact_json

from scheduling_admin.errors import Exit

PIPE_WIDTH = 160
"""Columns where the output is no terminal, which would have told its width."""


@dataclass(frozen=True)
class Report:
    """`document` has what `--json` prints, numbers of payloads as they were written; `shown` is for people."""

    document: Mapping[str, object]
    shown: Sequence[RenderableType] = field(default=())
    ends_with: Exit = Exit.OK

    def tell(self, *, as_json: bool) -> None:
        """Print it to stdout."""
        if as_json:
            # JSON is UTF-8, whatever the terminal's encoding (RFC 8259).
            sys.stdout.buffer.write(f"{exact_json.dumps(self.document)}\n".encode())
            sys.stdout.flush()
            return
        console = console_on(sys.stdout)
        for part in self.shown:
            console.print(part)


def console_on(stream: TextIO) -> Console:
    """A console that writes what it is given as it is, in colour on a terminal only."""
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)
