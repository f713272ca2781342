"""Compiles a component in a process of its own.

`python -m runner.sandbox.compiler <component or bundle> <content hash> <result file> <memory in bytes> <seconds>`.
If it fails, it exits with 1, and prints class and text of the RunnerError.
"""

import hashlib
import os
import sys
from pathlib import Path

from runner.errors import BundleFetchFailed, RunnerError
from runner.sandbox.bundle import BUNDLE_NAME, read_bundle
from runner.sandbox.process_limits import end_process_after, limit_core_dumps, limit_memory
from runner.sandbox.sandbox import Sandbox


def main() -> None:
    """Compile the component of the command line."""
    source, content_hash, result, memory_bytes, seconds = sys.argv[1:]
    limit_core_dumps()
    end_process_after(float(seconds))
    limit_memory(int(memory_bytes))
    try:
        _write_file(Path(result), Sandbox().compile_component(_read_component(Path(source), content_hash)))
    except RunnerError as error:
        sys.stdout.write(f"{type(error).__name__}\n{error}")
        sys.exit(1)


def _read_component(source: Path, content_hash: str) -> bytes:
    content = source.read_bytes()
    if "sha256:" + hashlib.sha256(content).hexdigest() != content_hash:
        raise BundleFetchFailed(f"{source.name} has changed")
    return read_bundle(content) if source.name == BUNDLE_NAME else content


def _write_file(path: Path, content: bytearray) -> None:
    # Replaced atomically, because another runner may be reading it.
    temporary_path = path.with_suffix(f".{os.getpid()}")
    temporary_path.write_bytes(content)
    temporary_path.replace(path)


if __name__ == "__main__":
    main()
