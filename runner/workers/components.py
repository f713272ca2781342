"""Components and bundles in the extension folders, by content hash. Each is compiled once."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from runner.errors import BundleFetchFailed, RunnerError

FILE_NAMES = ("component.wasm", "bundle.tar.zst")
MAX_FILE_BYTES = 128 * 1024 * 1024
FAILURE_SECONDS = 600.0
"""How long the compiler is not started again for a file that it could not compile."""

Compile = Callable[[Path, str], Path]
"""Compiles a component or bundle with a content hash, and returns the path of the result."""


def content_hash(content: bytes) -> str:
    """Return the content hash of a component or bundle: `sha256:` and the hash of its bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


class ComponentStore:
    """Finds a component by its hash, including one that is added or replaced while the runner runs."""

    def __init__(self, folders: Iterable[Path], compile_component: Compile) -> None:
        self._folders = tuple(folders)
        self._compile_component = compile_component
        self._hashes: dict[tuple[Path, int, int], str] = {}
        self._components: dict[str, Path] = {}
        self._failures: dict[str, tuple[float, RunnerError]] = {}
        # One compilation at a time: it uses all cores, and two first calls must not compile the same component.
        self._compile_lock = threading.Lock()

    def get_component(self, component_hash: str) -> Path:
        """Return the path of the compiled component.

        Raises:
            BundleFetchFailed: No file in the extension folders has this hash, or the bundle is unusable.
            InvalidComponent: The file cannot be compiled.
        """
        component = self._components.get(component_hash)
        if component is None:
            source = self._find_source(component_hash)
            with self._compile_lock:
                component = self._components.get(component_hash) or self._compile(source, component_hash)
        return component

    def discard_component(self, component_hash: str) -> None:
        """Delete the compiled component, so that it is compiled again."""
        component = self._components.pop(component_hash, None)
        if component:
            component.unlink(missing_ok=True)

    def list_sources(self) -> dict[str, Path]:
        """Return the paths of all components and bundles by hash, reading only new and changed files."""
        paths = [
            path
            for folder in self._folders
            for name in FILE_NAMES
            for path in sorted(folder.glob(f"*/{name}"))
        ]
        return {self._hash_file(path): path for path in paths if path.stat().st_size <= MAX_FILE_BYTES}

    def _compile(self, source: Path, component_hash: str) -> Path:
        failed_at, failure = self._failures.get(component_hash, (0.0, None))
        if failure and time.monotonic() - failed_at < FAILURE_SECONDS:
            raise type(failure)(str(failure))
        try:
            component = self._compile_component(source, component_hash)
        except RunnerError as error:
            self._failures[component_hash] = time.monotonic(), error
            raise
        self._components[component_hash] = component
        return component

    def _find_source(self, component_hash: str) -> Path:
        path = self.list_sources().get(component_hash)
        if path is None:
            raise BundleFetchFailed(
                f"no component or bundle with content hash {component_hash} in the extension folders"
            )
        return path

    def _hash_file(self, path: Path) -> str:
        stat = path.stat()
        version = (path, stat.st_mtime_ns, stat.st_size)
        if version not in self._hashes:
            with path.open("rb") as file:
                self._hashes[version] = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        return self._hashes[version]
