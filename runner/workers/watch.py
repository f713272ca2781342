"""Watches the extension folders, so that a component is compiled when it is added and not in its first run."""

import logging
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from runner.errors import RunnerError
from runner.workers.components import ComponentStore

logger = logging.getLogger(__name__)

WATCH_SECONDS = 1.0

Status = Literal["compiling", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class WatchedComponent:
    """A component or bundle in an extension folder, and whether it can be executed without delay."""

    path: str
    content_hash: str
    status: Status
    error: str | None = None

    def as_json(self) -> dict[str, str]:
        """Return the JSON of the runner's health."""
        fields = {"path": self.path, "contentHash": self.content_hash, "status": self.status}
        return fields if self.error is None else {**fields, "error": self.error}


class ComponentWatcher:
    """Compiles what is added to the extension folders, one after the other."""

    def __init__(self, store: ComponentStore) -> None:
        self._store = store
        self._watched: dict[Path, WatchedComponent] = {}
        self._last_scan: dict[Path, str] | None = None
        self._stop = threading.Event()

    def start(self) -> None:
        """Watch in a thread, until `stop`."""
        threading.Thread(target=self._watch, name="watch", daemon=True).start()

    def stop(self) -> None:
        """End the thread once it has finished what it compiles."""
        self._stop.set()

    def list_components(self) -> list[WatchedComponent]:
        """Return what is in the folders, by path."""
        return [watched for _, watched in sorted(self._watched.items())]

    def scan(self) -> None:
        """Compile what is new since the last scan; of a file that is still being written, only what it ends as."""
        sources = {path: content_hash for content_hash, path in self._store.list_sources().items()}
        previous, self._last_scan = self._last_scan, sources
        self._watched = {path: each for path, each in self._watched.items() if path in sources}
        for path, content_hash in sorted(sources.items()):
            watched = self._watched.get(path)
            if watched and watched.content_hash == content_hash:
                continue
            if previous is None or previous.get(path) == content_hash:
                self._compile(path, content_hash, "changed" if watched else "added" if previous else "found")

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                self.scan()
            except OSError as error:  # a file that is replaced meanwhile
                logger.warning("scanning the extension folders failed: %s", error)
            self._stop.wait(WATCH_SECONDS)

    def _compile(self, path: Path, content_hash: str, event: str) -> None:
        compiling = WatchedComponent(str(path), content_hash, "compiling")
        self._watched[path] = compiling
        start_time = time.monotonic()
        try:
            self._store.get_component(content_hash)
        except RunnerError as error:
            self._watched[path] = replace(compiling, status="failed", error=str(error))
            logger.warning("%s %s, but unusable: %s", path, event, error.description)
        else:
            self._watched[path] = replace(compiling, status="ready")
            seconds = time.monotonic() - start_time
            logger.info("%s %s, compiled in %.1f s: %s", path, event, seconds, content_hash)
