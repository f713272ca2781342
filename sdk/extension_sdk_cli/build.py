"""Builds an extension's Python sources into a WASM component."""

import fcntl
import hashlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import extension_sdk

from extension_sdk_cli.errors import BuildFailed
from extension_sdk_cli.sources import find_imports, list_files

COMPONENT_NAME = "component.wasm"
MANIFEST_NAME = "manifest.json"
_ENTRY_MODULE = "extension_sdk._component"
_SDK = Path(extension_sdk.__file__).parent


def find_wit_folder() -> Path:
    """Return the folder with the platform's interface: in the package, or in a checkout beside it."""
    package = Path(__file__).parent
    return next(folder for folder in (package / "wit", package.parent / "wit") if folder.is_dir())


def build_extension(source_dir: Path, out_dir: Path) -> bool:
    """Build an extension unless its component is up to date.

    componentize-py is not reproducible: each build of the same sources has a content hash of its own.

    Args:
        source_dir: The folder with `app.py` and `manifest.json`.
        out_dir: The folder for `component.wasm` and `manifest.json`.

    Returns:
        Whether the component was built.

    Raises:
        BuildFailed: The tool refuses the sources; the text is its own.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    with file_lock(out_dir / ".lock"):
        late_modules = _find_late_modules(source_dir)
        current_stamp = compute_stamp(source_dir)
        stamp = out_dir / ".stamp"
        if stamp.exists() and stamp.read_text() == current_stamp:
            return False
        stamp.unlink(missing_ok=True)
        _build_component(source_dir, out_dir, late_modules)
        stamp.write_text(current_stamp)
        return True


def compute_stamp(source_dir: Path) -> str:
    """Return a hash of everything that goes into the component: sources, SDK, interface and tools."""
    tools = " ".join(version(name) for name in ("componentize-py", "tzdata"))
    digest = hashlib.sha256(tools.encode())
    for folder in (source_dir, _SDK, find_wit_folder()):
        for path in list_files(folder):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"\n{path.relative_to(folder).as_posix()} {content}".encode())
    return digest.hexdigest()


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on the file `path`."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _find_late_modules(source_dir: Path) -> list[str]:
    try:
        return sorted({found.module for found in find_imports(source_dir) if found.late})
    except SyntaxError as error:
        raise BuildFailed(f"{error.filename}:{error.lineno}: {error.msg}") from error


def _build_component(source_dir: Path, out_dir: Path, late_modules: Iterable[str]) -> None:
    with TemporaryDirectory(dir=out_dir) as staging:
        python_path = Path(staging, "python")
        # Copied without byte code, so that the component contains the sources only.
        for folder, target in ((source_dir, python_path), (_SDK, python_path / "extension_sdk")):
            _copy_files(folder, target)
        if any(found.module.partition(".")[0] == "zoneinfo" for found in find_imports(source_dir)):
            _copy_files(_find_package("tzdata"), python_path / "tzdata")
        modules = f"MODULES = {tuple(late_modules)!r}\n"
        (python_path / "extension_imports.py").write_text(modules)
        component = Path(staging, COMPONENT_NAME)
        _run_tool(python_path, component)
        component.replace(out_dir / COMPONENT_NAME)
    shutil.copyfile(source_dir / MANIFEST_NAME, out_dir / MANIFEST_NAME)


def _copy_files(folder: Path, target: Path) -> None:
    for path in list_files(folder):
        copy = target / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _find_package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise BuildFailed(f"the package {name} is not installed: pip install 'extension-sdk[build]'")
    return Path(spec.origin).parent


def _run_tool(python_path: Path, component: Path) -> None:
    tool = Path(sys.executable).with_name("componentize-py")
    world = ("--quiet", "--wit-path", find_wit_folder(), "--world", "runner")
    arguments = ("componentize", _ENTRY_MODULE, "--python-path", python_path, "--output", component)
    # An empty environment, because the tool would add packages of an active virtual environment.
    result = subprocess.run([tool, *world, *arguments], env={}, capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode != 0:
        raise BuildFailed(result.stderr.strip())
