"""The shape of the source: no circles, short modules and functions, no needless interfaces, no stray private parts."""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path

import pytest

from local.settings import PROJECT_ROOT
from tests.unit.source.modules import LAYER, SHIPPED, list_modules, location, read_nodes, read_statements

IMPORT_ROOTS = ("layers/scheduling", "sdk", ".")
GRAPH_FOLDERS = (
    LAYER,
    "bench",
    "local",
    "runner",
    "scheduling_admin",
    "scripts",
    "sdk/extension_sdk",
    "sdk/extension_sdk_cli",
    "tests",
)

MAX_FOLDER_MODULES = 15
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40

# The modules that may use private parts of a library; each use names the version it was written for, and has a test.
PRIVATE_PARTS_MODULES = (
    f"{LAYER}/store/botocore_internals.py",
    f"{LAYER}/store/pynamodb_internals.py",
    "local/moto/",
    "runner/sandbox/wasmtime_internals.py",
)
PUBLIC_DESPITE_THEIR_NAME = {("os", "_exit")}


def module_name(path: Path) -> str:
    for root in IMPORT_ROOTS:
        folder = (PROJECT_ROOT / root).resolve()
        if path.is_relative_to(folder):
            parts = path.relative_to(folder).with_suffix("").parts
            return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    raise AssertionError(path)


def list_imports(path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    """Yield the modules that a module may import: in functions, for type checking, and beside it by a short name."""
    folder = module_name(path).rpartition(".")[0]
    for name in _list_imported_names(path, modules):
        yield name
        yield f"{folder}.{name}"


def _list_imported_names(path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    for node in read_statements(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for name in (f"{node.module}.{alias.name}" for alias in node.names):
                yield name if name in modules else node.module


def test_modules_import_each_other_without_circles() -> None:
    modules = {module_name(path): path for path in list_modules(*GRAPH_FOLDERS)}
    graph = {name: modules.keys() & {*list_imports(path, modules)} - {name} for name, path in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_folder_has_more_modules_than_a_reader_can_survey() -> None:
    modules = [path for path in list_modules(*SHIPPED, "bench", "tests") if path.name != "__init__.py"]
    counts = Counter(path.parent for path in modules)
    assert {location(folder): count for folder, count in counts.items() if count > MAX_FOLDER_MODULES} == {}


def test_no_file_is_longer_than_300_lines() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in list_modules(*SHIPPED)}
    assert {location(path): lines for path, lines in lengths.items() if lines > MAX_FILE_LINES} == {}


def count_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function, without its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    docstring = function.body[0]
    return lines - ((docstring.end_lineno or 0) - docstring.lineno + 1)


def test_no_function_is_longer_than_40_lines() -> None:
    lengths = {
        f"{location(path, node)} {node.name}": count_lines(node)
        for path in list_modules(*SHIPPED)
        for node in read_nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FUNCTION_LINES} == {}


def list_classes() -> list[ast.ClassDef]:
    nodes = chain.from_iterable(map(read_nodes, list_modules(*SHIPPED)))
    return [node for node in nodes if isinstance(node, ast.ClassDef)]


@cache
def list_bases(node: ast.ClassDef) -> set[str]:
    return {ast.unparse(base) for base in node.bases}


def is_interface(node: ast.ClassDef) -> bool:
    bases = (*list_bases(node), *(ast.unparse(keyword.value) for keyword in node.keywords))
    return any(re.search(r"\b(?:Protocol|ABC|ABCMeta)\b", base) for base in bases)


@cache
def public_members(node: ast.ClassDef) -> set[str]:
    """Return the names of a class's methods, and of its attributes: of the class, or set on `self`."""
    names = {each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    names |= {
        each.target.id
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }
    names |= {
        each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)
    }
    return {name for name in names if not name.startswith("_") or name == "__call__"}


def test_every_interface_has_two_implementations() -> None:
    classes = list_classes()
    interfaces = [node for node in classes if is_interface(node)]
    implementations = {
        interface.name: [
            node.name
            for node in classes
            if node not in interfaces
            and (interface.name in list_bases(node) or public_members(interface) <= public_members(node))
        ]
        for interface in interfaces
    }
    assert {name: classes for name, classes in implementations.items() if len(classes) < 2} == {}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


@cache
def list_private_names() -> set[str]:
    """Return the private names that the project defines itself."""
    names: set[str] = set()
    for node in chain.from_iterable(map(read_nodes, list_modules(*SHIPPED))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.id if isinstance(node, ast.Name) else node.attr)
    return {name for name in names if is_private(name)}


def uses_private_part(node: ast.AST, project_names: set[str]) -> bool:
    """Return whether a node uses a private part of something else than the object that it belongs to."""
    if isinstance(node, ast.Attribute) and is_private(node.attr):
        owner = ast.unparse(node.value)
        if owner in ("self", "cls"):
            return node.attr not in project_names
        return (owner, node.attr) not in PUBLIC_DESPITE_THEIR_NAME
    if isinstance(node, ast.ImportFrom) and node.module:
        package = node.module.partition(".")[0]
        names = [*node.module.split("."), *(alias.name for alias in node.names)]
        return not (PROJECT_ROOT / "sdk" / package).exists() and any(map(is_private, names))
    return False


def test_private_parts_of_libraries_are_used_in_one_place_per_library() -> None:
    project_names = list_private_names()
    uses = [
        f"{location(path, node)} {ast.unparse(node)}"
        for path in list_modules(*SHIPPED)
        for node in read_nodes(path)
        if uses_private_part(node, project_names)
    ]
    violations = [use for use in uses if not use.startswith(PRIVATE_PARTS_MODULES)]
    assert not violations, "\n".join(violations)


@pytest.mark.parametrize("place", PRIVATE_PARTS_MODULES)
def test_module_of_private_parts_names_the_version_it_was_written_for(place: str) -> None:
    path = PROJECT_ROOT / place
    modules = [path] if path.is_file() else list_modules(place)
    project_names = list_private_names()
    users = [
        module
        for module in modules
        if any(uses_private_part(node, project_names) for node in read_nodes(module))
    ]
    assert users
    for module in users:
        assert re.search(r"\d+\.\d+", module.read_text(encoding="utf-8")), location(module)
