"""What a component needs at run time and can load only while it is built.

componentize-py executes the extension's modules at build time and keeps the memory. There are no files at run time, so
a module that nothing has imported by then cannot be imported, and a package's data cannot be read.
"""

import importlib
import linecache
import pkgutil
import sys
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.machinery import SourceFileLoader
from importlib.resources.abc import Traversable, TraversableResources
from io import BytesIO
from pathlib import Path
from types import ModuleType

# What the standard library imports inside its functions, and the interpreter on its own.
_LATE_MODULES = (
    "_pylong",  # int of a long text
    "_strptime",  # datetime.strptime, time.strptime
    "_suggestions",  # "did you mean" of a traceback
    "decimal",
    "unicodedata",  # the width of a traceback's line, urllib.parse
)
_LATE_BY_MODULE = {
    "email.message": ("email.generator", "email.parser", "email.policy"),
    "pickle": ("_compat_pickle",),
    "logging": ("logging.handlers",),
    "xml.etree.ElementTree": ("pyexpat", "xml.etree.ElementPath"),
    "zoneinfo": ("tzdata", "zoneinfo._tzpath"),
}


def load_late_modules(extension_modules: Iterable[str]) -> None:
    """Import what the extension, the standard library and the interpreter import at run time.

    Args:
        extension_modules: What the extension's functions import. What cannot be imported is passed over: it raises
            an ImportError at run time, as it does now.
    """
    packages = (*_submodules("encodings"), *_submodules("importlib.resources"))
    for name in (*extension_modules, *_LATE_MODULES, *packages):
        _try_import(name)
    for module, names in _LATE_BY_MODULE.items():
        if module in sys.modules:
            for name in names:
                _try_import(name)
    if "tzdata" in sys.modules:
        for name in _submodules("tzdata", recursive=True):
            _try_import(name)


def keep_files(root: Path) -> None:
    """Keep the source lines for tracebacks, and all data files for `importlib.resources`.

    Args:
        root: The folder with the extension's modules and packages.
    """
    archive = _pack_data_files(root)
    for module in list(sys.modules.values()):
        spec = getattr(module, "__spec__", None)
        loader = spec.loader if spec else None
        if spec and isinstance(loader, SourceFileLoader) and Path(loader.path).is_relative_to(root):
            lines = linecache.getlines(loader.path)
            linecache.cache[loader.path] = (len(lines), None, lines, loader.path)  # None: not checked again
            folder = Path(loader.path).relative_to(root).parent
            spec.loader = _SnapshotLoader(loader, zipfile.Path(archive, _folder_name(folder)))


class _SnapshotLoader(SourceFileLoader):
    """The loader of a module whose data files are in memory."""

    def __init__(self, loader: SourceFileLoader, files: zipfile.Path) -> None:
        super().__init__(loader.name, loader.path)
        self._files = files

    def get_resource_reader(self, name: str | None = None) -> "_SnapshotReader":  # type: ignore[override]  # noqa: ARG002
        return _SnapshotReader(self._files)


class _SnapshotReader(TraversableResources):
    def __init__(self, files: zipfile.Path) -> None:
        self._files = files

    def files(self) -> Traversable:
        return self._files


def _pack_data_files(root: Path) -> zipfile.ZipFile:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.suffix not in (".py", ".pyc", ".pyi"):
                archive.writestr(zipfile.ZipInfo(path.relative_to(root).as_posix()), path.read_bytes())
    return zipfile.ZipFile(buffer)


def _folder_name(folder: Path) -> str:
    return "" if folder == Path() else f"{folder.as_posix()}/"


def _submodules(package_name: str, *, recursive: bool = False) -> Iterator[str]:
    package = _try_import(package_name)
    for module in pkgutil.iter_modules(package.__path__, package_name + ".") if package else ():
        yield module.name
        if recursive and module.ispkg:
            yield from _submodules(module.name, recursive=True)


def _try_import(name: str) -> ModuleType | None:
    with suppress(ImportError):
        return importlib.import_module(name)
    return None
