"""The Python sources of an extension, and what they import."""

import ast
import importlib.util
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# Beside the extension's modules, but not part of it. A name that begins with a dot is not either.
_EXCLUDED_FOLDERS = {"build", "dist", "node_modules", "tests", "venv"}
_IMPORTING_FUNCTIONS = {"import_module", "files"}
_EXCLUDED_SUFFIXES = {".pyc", ".wasm", ".zst"}


@dataclass(frozen=True, slots=True)
class Import:
    """A module that a source imports; `late` if only when a function is called."""

    module: str
    path: Path
    line: int
    late: bool
    required: bool = True
    """False where `module` may be a name in a module: `from package import module_or_name`."""


def list_files(source_dir: Path) -> list[Path]:
    """Return the files that go into the component, sorted."""
    return sorted(path for path in _walk(source_dir) if not _is_excluded(path.relative_to(source_dir)))


def find_imports(source_dir: Path) -> list[Import]:
    """Return all imports of the extension's sources.

    Raises:
        SyntaxError: A source is not valid Python.
    """
    return [
        found
        for path in list_files(source_dir)
        if path.suffix == ".py"
        for found in _find_imports_of_file(path, _package_name(path.relative_to(source_dir)))
    ]


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name == "__pycache__":
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


def _is_excluded(path: Path) -> bool:
    is_test = path.suffix == ".py" and (path.name.startswith("test_") or path.name == "conftest.py")
    return path.parts[0] in _EXCLUDED_FOLDERS or path.suffix in _EXCLUDED_SUFFIXES or is_test


def _package_name(path: Path) -> str:
    return ".".join(path.parent.parts)


def _find_imports_of_file(path: Path, package: str) -> Iterator[Import]:
    tree = ast.parse(path.read_bytes(), str(path))
    late_nodes = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        late = id(node) in late_nodes
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, path, node.lineno, late)
        elif isinstance(node, ast.ImportFrom):
            module = _resolve_name(node, package)
            yield Import(module, path, node.lineno, late)
            for alias in node.names:
                yield Import(f"{module}.{alias.name}", path, node.lineno, late, required=False)
        elif isinstance(node, ast.Call) and (name := _imported_name(node)):
            yield Import(name, path, node.lineno, late)


def _resolve_name(node: ast.ImportFrom, package: str) -> str:
    relative_name = "." * node.level + (node.module or "")
    with suppress(ImportError):  # beyond the top: the source cannot be imported at all
        return importlib.util.resolve_name(relative_name, package) if node.level else relative_name
    return relative_name


def _imported_name(node: ast.Call) -> str | None:
    """Return the module of `import_module("name")` or `resources.files("name")`."""
    function, arguments = node.func, node.args
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", None)
    if name not in _IMPORTING_FUNCTIONS or len(arguments) != 1 or not isinstance(arguments[0], ast.Constant):
        return None
    return arguments[0].value if isinstance(arguments[0].value, str) else None
