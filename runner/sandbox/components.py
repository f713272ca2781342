"""The components in the extension folders, by content hash, each compiled once."""

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
    """The name of a component in the contract: `sha256:` and the hash of its bytes."""
    return "sha256:" + hashlib.sha256(wasm).hexdigest()


class Components(Generic[T]):
    """Finds a component by its hash, also one that was added or replaced while running."""

    def __init__(self, folders: Iterable[Path], compile_component: Callable[[bytes], T]) -> None:
        self._folders = tuple(folders)
        self._compile = compile_component
        self._hashes: dict[tuple[Path, int, int], str] = {}
        self._compiled: dict[str, T] = {}
        # One at a time: a compilation takes all cores, and two first calls must not both do it.
        self._compiling = threading.Lock()

    def get(self, wanted: str) -> T:
        """The compiled component. Raises UnknownComponent, or InvalidComponent as the compiler does."""
        if wanted not in self._compiled:
            wasm = self._read(wanted)
            with self._compiling:
                if wanted not in self._compiled:
                    self._compiled[wanted] = self._compile(wasm)
        return self._compiled[wanted]

    def compile_all(self) -> None:
        """Compile ahead what is there, so that first calls are quick; what fails is logged."""
        for wanted in list(self._scan()):
            try:
                self.get(wanted)
            except RunnerError as error:
                log.warning("%s: %s", wanted, error)

    def _read(self, wanted: str) -> bytes:
        path = self._scan().get(wanted)
        wasm = path.read_bytes() if path else b""
        if content_hash(wasm) != wanted:
            raise UnknownComponent(f"no component with content hash {wanted} in the extension folders")
        return wasm

    def _scan(self) -> dict[str, Path]:
        """Path by hash; only files that are new or changed are read."""
        paths = [path for folder in self._folders for path in sorted(folder.glob("*/component.wasm"))]
        return {self._hash(path): path for path in paths}

    def _hash(self, path: Path) -> str:
        stat = path.stat()
        version = (path, stat.st_mtime_ns, stat.st_size)
        if version not in self._hashes:
            self._hashes[version] = content_hash(path.read_bytes())
        return self._hashes[version]
