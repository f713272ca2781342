"""What an extension logged, from the log of the local stack's runner."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

_POLL_SECONDS = 0.3
_LINE_PATTERN = re.compile(r"\S+ \S+ (?P<level>[A-Z]+) (?P<logger>\S+) (?P<message>.*)")
_ORIGIN_PATTERN = re.compile(r"\[[^]]*\] ")


def read_messages(log: Path, install_id: str, *, request_id: str = "", follow: bool = False) -> Iterator[str]:
    """Yield what an install has logged, and why its runs failed, with line breaks.

    Args:
        log: The runner's log.
        install_id: The install.
        request_id: Only messages of this request, which a run's history names; all if empty.
        follow: Wait for more, for ever.
    """
    with log.open(encoding="utf-8", errors="replace") as lines:
        pending = ""
        while True:
            pending += lines.readline()
            if pending.endswith("\n"):
                line, pending = pending.rstrip("\n"), ""
                if install_id in line and request_id in line and (message := format_line(line)) is not None:
                    yield message
            elif not follow:
                return
            else:
                time.sleep(_POLL_SECONDS)


def format_line(line: str) -> str | None:
    """Return the message of a line, its escaped line breaks as such; None for the runner's own of no failure."""
    match = _LINE_PATTERN.fullmatch(line)
    if match is None:
        return line
    if match["logger"] != "extension":
        return match["message"] if match["level"] in ("WARNING", "ERROR") else None
    message = _ORIGIN_PATTERN.sub("", match["message"], count=1)
    return message.replace("\\r", "\r").replace("\\n", "\n").rstrip()
