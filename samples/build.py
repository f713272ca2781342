"""Build an extension's Python sources into a WASM component: `python -m samples.build`."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
SDK = ROOT / "sdk"
EXTENSIONS = ROOT / "build" / "extensions"
ENTRY_MODULE = "extension_sdk._component"


class BuildError(RuntimeError):
    """The component cannot be built; the message is the tool's."""


def build_extension(source_dir: Path, out_dir: Path) -> bool:
    """Build an extension unless its component is up to date.

    Args:
        source_dir: The folder with `app.py` and `manifest.json`.
        out_dir: The folder for `component.wasm` and `manifest.json`.

    Returns:
        Whether the component was built.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    with file_lock(out_dir / ".lock"):
        current_stamp = _compute_stamp(source_dir)
        stamp = out_dir / ".stamp"
        if stamp.exists() and stamp.read_text() == current_stamp:
            return False
        stamp.unlink(missing_ok=True)
        _build_component(source_dir, out_dir)
        stamp.write_text(current_stamp)
        return True


def main() -> None:
    """Build the sample extension."""
    start_time = time.monotonic()
    out_dir = EXTENSIONS / "scheduler_demo"
    built = build_extension(ROOT / "samples" / "scheduler_demo", out_dir)
    outcome = f"built in {time.monotonic() - start_time:.1f} s" if built else "up to date"
    sys.stdout.write(f"{out_dir.relative_to(ROOT)}: {outcome}\n")


def _build_component(source_dir: Path, out_dir: Path) -> None:
    with TemporaryDirectory(dir=out_dir) as staging:
        # Copied without byte code, so that the component contains the sources only.
        for source in (source_dir, SDK):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, Path(staging, "python"), ignore=ignored, dirs_exist_ok=True)
        component = Path(staging, "component.wasm")
        _run_tool(Path(staging, "python"), component)
        component.replace(out_dir / "component.wasm")
    shutil.copyfile(source_dir / "manifest.json", out_dir / "manifest.json")


def _run_tool(python_path: Path, component: Path) -> None:
    tool = Path(sys.executable).with_name("componentize-py")
    world = ("--quiet", "--wit-path", SDK / "wit", "--world", "runner")
    arguments = ("componentize", ENTRY_MODULE, "--python-path", python_path, "--output", component)
    # An empty environment, because the tool would add packages of an active virtual environment.
    result = subprocess.run([tool, *world, *arguments], env={}, capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode != 0:
        raise BuildError(result.stderr)


def _compute_stamp(source_dir: Path) -> str:
    """Return a hash of everything that goes into the component."""
    digest = hashlib.sha256(version("componentize-py").encode())
    for folder in (source_dir, SDK / "extension_sdk", SDK / "wit"):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"\n{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on the file `path`."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
