"""Reads what an extension logs from the runner's log."""

import re
from pathlib import Path

_LINE = re.compile(
    r"\S+ \S+ [A-Z]+ extension \[request [^,]*, install (?P<install_id>[^,\]]+)[^\]]*\] (?P<message>.*)"
)


class ExtensionLog:
    """The messages of an install's extension in a runner's log file, from the present end of the file on."""

    def __init__(self, path: Path, install_id: str) -> None:
        self._path = path
        self._install_id = install_id
        self._start = path.stat().st_size

    def read_messages(self) -> list[str]:
        """Return the messages logged since the creation of this object."""
        log = self._path.read_bytes()[self._start :].decode(errors="replace")
        matches = filter(None, map(_LINE.fullmatch, log.splitlines()))
        return [match["message"] for match in matches if match["install_id"] == self._install_id]
