"""Components in the extension folders, by content hash. Each is compiled once."""

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

from runner.errors import RunnerError, UnknownComponent

log = logging.getLogger(__name__)

T = TypeVar("T")


def content_hash(wasm: bytes) -> str:
    """Return the content hash of a component: `sha256:` and the hash of its bytes."""
    return "sha256:" + hashlib.sha256(wasm).hexdigest()


class ComponentStore(Generic[T]):
    """Finds a component by its hash, including one that is added or replaced while the runner runs."""

    def __init__(self, folders: Iterable[Path], compile_component: Callable[[bytes], T]) -> None:
        self._folders = tuple(folders)
        self._compile_component = compile_component
        self._hashes: dict[tuple[Path, int, int], str] = {}
        self._components: dict[str, T] = {}
        # One compilation at a time: it uses all cores, and two first calls must not compile the same component.
        self._compile_lock = threading.Lock()

    def get_component(self, component_hash: str) -> T:
        """Return the compiled component.

        Raises:
            UnknownComponent: No file in the extension folders has this hash.
            InvalidComponent: The file cannot be compiled.
        """
        if component_hash not in self._components:
            wasm = self._read_component(component_hash)
            with self._compile_lock:
                if component_hash not in self._components:
                    self._components[component_hash] = self._compile_component(wasm)
        return self._components[component_hash]

    def compile_all_components(self) -> None:
        """Compile all components in advance, so that first calls are fast; log those that fail."""
        for component_hash in list(self._scan_folders()):
            try:
                self.get_component(component_hash)
            except RunnerError as error:
                log.warning("%s: %s", component_hash, error)

    def _read_component(self, component_hash: str) -> bytes:
        path = self._scan_folders().get(component_hash)
        wasm = path.read_bytes() if path else b""
        if content_hash(wasm) != component_hash:
            raise UnknownComponent(
                f"no component with content hash {component_hash} in the extension folders"
            )
        return wasm

    def _scan_folders(self) -> dict[str, Path]:
        """Return the paths by hash, reading only new and changed files."""
        paths = [path for folder in self._folders for path in sorted(folder.glob("*/component.wasm"))]
        return {self._hash_file(path): path for path in paths}

    def _hash_file(self, path: Path) -> str:
        stat = path.stat()
        version = (path, stat.st_mtime_ns, stat.st_size)
        if version not in self._hashes:
            self._hashes[version] = content_hash(path.read_bytes())
        return self._hashes[version]
