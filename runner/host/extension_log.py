"""The log of one execution: what the extension logs or prints, within a budget."""

import logging
from collections.abc import Callable

from runner.oversized import Oversized

MAX_LINE_CHARS = 2_000
MAX_KEPT_OUTPUT = 16 * 1024
# What a line costs besides its text, so that empty lines are not free.
LINE_OVERHEAD_BYTES = 64


class ExtensionLog:
    """Writes lines until the budget is used up, then one line that says so.

    `write_line` gets each line as soon as it is complete, so that none is lost if the process is killed.
    """

    def __init__(self, budget_bytes: int, write_line: Callable[[int, str], None]) -> None:
        self._budget_bytes = budget_bytes
        self._remaining_bytes = budget_bytes
        self._write_line = write_line
        self._unfinished = bytearray()
        self._output = bytearray()

    def write(self, level: int, message: str | Oversized) -> None:
        """Log `message`, shortened if it is long."""
        if self._remaining_bytes < 0:
            return
        text = _shorten_message(message)
        self._remaining_bytes -= len(text.encode()) + LINE_OVERHEAD_BYTES
        if self._remaining_bytes >= 0:
            self._write_line(level, text)
        else:
            self._write_line(
                logging.WARNING,
                f"the log exceeds {self._budget_bytes} bytes: a line of {_count_bytes(message)} bytes and all that "
                "follow are dropped",
            )

    def info(self, message: str | Oversized) -> None:
        """Log at level INFO."""
        self.write(logging.INFO, message)

    def warn(self, message: str | Oversized) -> None:
        """Log at level WARNING."""
        self.write(logging.WARNING, message)

    def error(self, message: str | Oversized) -> None:
        """Log at level ERROR."""
        self.write(logging.ERROR, message)

    def capture(self, output: bytes) -> None:
        """Log the lines that `output` completes, which the extension prints to stdout or stderr."""
        self._output = (self._output + output[-MAX_KEPT_OUTPUT:])[-MAX_KEPT_OUTPUT:]
        *lines, rest = (self._unfinished + output).split(b"\n")
        for line in lines:
            self._write_printed(line)
        self._unfinished = bytearray(rest)
        if len(rest) > MAX_KEPT_OUTPUT:
            self.flush()

    @property
    def output_lines(self) -> list[str]:
        """The last lines that the extension has printed."""
        return self._output.decode(errors="replace").splitlines()

    def flush(self) -> None:
        """Log the line that the extension has begun to print."""
        self._write_printed(self._unfinished)
        self._unfinished = bytearray()

    def _write_printed(self, line: bytearray) -> None:
        if line.strip():
            self.info(line.decode(errors="replace").rstrip("\r"))


def _shorten_message(message: str | Oversized) -> str:
    if isinstance(message, Oversized):
        return f"(a line of {message.size} bytes, which is dropped)"
    if len(message) <= MAX_LINE_CHARS:
        return message
    return (
        f"{message[:MAX_LINE_CHARS]} (and {len(message) - MAX_LINE_CHARS} characters more, which are dropped)"
    )


def _count_bytes(message: str | Oversized) -> int:
    return message.size if isinstance(message, Oversized) else len(message.encode())
