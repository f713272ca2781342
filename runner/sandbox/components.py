"""Components and bundles in the extension folders, by content hash. Each is compiled once."""

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

from runner.errors import BundleFetchFailed, RunnerError
from runner.sandbox.bundle import BUNDLE_NAME, read_bundle

logger = logging.getLogger(__name__)

T = TypeVar("T")

FILE_NAMES = ("component.wasm", BUNDLE_NAME)


def content_hash(content: bytes) -> str:
    """Return the content hash of a component or bundle: `sha256:` and the hash of its bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


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
            BundleFetchFailed: No file in the extension folders has this hash, or the bundle is unusable.
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
                logger.warning("%s: %s", component_hash, error.description)

    def _read_component(self, component_hash: str) -> bytes:
        path = self._scan_folders().get(component_hash)
        content = path.read_bytes() if path else b""
        if path is None or content_hash(content) != component_hash:
            raise BundleFetchFailed(
                f"no component or bundle with content hash {component_hash} in the extension folders"
            )
        return read_bundle(content) if path.name == BUNDLE_NAME else content

    def _scan_folders(self) -> dict[str, Path]:
        """Return the paths by hash, reading only new and changed files."""
        paths = [
            path
            for folder in self._folders
            for name in FILE_NAMES
            for path in sorted(folder.glob(f"*/{name}"))
        ]
        return {self._hash_file(path): path for path in paths}

    def _hash_file(self, path: Path) -> str:
        stat = path.stat()
        version = (path, stat.st_mtime_ns, stat.st_size)
        if version not in self._hashes:
            self._hashes[version] = content_hash(path.read_bytes())
        return self._hashes[version]
