"""Writes what an extension logs or prints to the runner's log."""

import logging

from runner.messages import ExecutionContext

logger = logging.getLogger("extension")

MAX_LINES = 200
MAX_LINE_CHARS = 2_000
MAX_OUTPUT_BYTES = 64 * 1024


class ExtensionLog:
    """The log of one execution. Each line names the request and the install; the number of lines is limited."""

    def __init__(self, context: ExecutionContext) -> None:
        self._origin = f"[request {context.request_id or '-'}, install {context.install_id or '-'}]"
        self._lines = 0
        self._output = bytearray()

    def write(self, level: int, message: str) -> None:
        """Log `message` on one line."""
        self._lines += 1
        if self._lines <= MAX_LINES:
            line = message[:MAX_LINE_CHARS].replace("\r", "\\r").replace("\n", "\\n")
            logger.log(level, "%s %s", self._origin, line)
        elif self._lines == MAX_LINES + 1:
            logger.warning("%s logs more than %d lines; the rest is dropped", self._origin, MAX_LINES)

    def info(self, message: str) -> None:
        """Log at level INFO."""
        self.write(logging.INFO, message)

    def warn(self, message: str) -> None:
        """Log at level WARNING."""
        self.write(logging.WARNING, message)

    def error(self, message: str) -> None:
        """Log at level ERROR."""
        self.write(logging.ERROR, message)

    def capture(self, output: bytes) -> None:
        """Store what the extension prints to stdout or stderr until `flush`."""
        self._output += output[: MAX_OUTPUT_BYTES - len(self._output)]

    @property
    def output_lines(self) -> list[str]:
        """The lines that the extension has printed so far."""
        return self._output.decode(errors="replace").splitlines()

    def flush(self) -> None:
        """Log the printed lines."""
        for line in filter(str.strip, self.output_lines):
            self.info(line)
        self._output.clear()
