"""Compiles components in a process of its own, once for all workers and runs of the runner."""

import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from runner.errors import InvalidComponent, error_by_name
from runner.workers.process import is_out_of_memory, worker_environment

COMPILE_SECONDS = 300.0
UNUSED_SECONDS = 30 * 24 * 3600.0


class ComponentCompiler:
    """Keeps compiled components in a folder, by content hash and wasmtime's version.

    The compiler is a process that can be killed, because a small component can take it any time and memory.
    """

    def __init__(self, cache_dir: Path, memory_bytes: int) -> None:
        self._cache_dir = cache_dir
        self._memory_bytes = memory_bytes
        cache_dir.mkdir(parents=True, exist_ok=True)

    def compile_component(self, source: Path, content_hash: str) -> Path:
        """Return the compiled form of a component or bundle.

        Raises:
            BundleFetchFailed: The file has changed, or the bundle is unusable.
            InvalidComponent: It cannot be compiled within the limits.
        """
        # With the file's name, because the same bytes may be a component and not be a bundle.
        name = f"{content_hash.removeprefix('sha256:')}.{source.name}.{version('wasmtime')}.cwasm"
        result = self._cache_dir / name
        if result.exists():
            os.utime(result)
            return result
        self._delete_unused_files()
        self._run_compiler(source, content_hash, result)
        return result

    def _run_compiler(self, source: Path, content_hash: str, result: Path) -> None:
        arguments = (
            str(source),
            content_hash,
            str(result),
            str(self._memory_bytes),
            str(COMPILE_SECONDS + 1),
        )
        try:
            completed = subprocess.run(  # noqa: S603 - all arguments are the runner's
                [sys.executable, "-m", "runner.sandbox.compiler", *arguments],
                env=worker_environment() | {"RAYON_NUM_THREADS": str(min(os.cpu_count() or 1, 8))},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=COMPILE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise InvalidComponent(f"it takes more than {COMPILE_SECONDS:.0f} s to compile") from None
        if completed.returncode == 0:
            return
        if is_out_of_memory(completed.stderr):
            raise InvalidComponent(f"it takes more than {self._memory_bytes >> 20} MB to compile")
        name, separator, text = completed.stdout.decode().partition("\n")
        if not separator:
            raise InvalidComponent(f"the compiler ended with status {completed.returncode}")
        raise error_by_name(name)(text)

    def _delete_unused_files(self) -> None:
        oldest = time.time() - UNUSED_SECONDS
        for path in self._cache_dir.glob("*.cwasm"):
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
