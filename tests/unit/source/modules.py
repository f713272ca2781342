"""The project's modules and their syntax trees."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from local.settings import PROJECT_ROOT

LAYER = "layers/scheduling/scheduling"
SHIPPED = (
    LAYER,
    "functions",
    "local",
    "runner",
    "scheduling_admin",
    "scripts",
    "sdk/extension_sdk",
    "sdk/extension_sdk_cli",
)

_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
"""The attributes of a statement that hold statements."""


@cache
def read_nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return the nodes of a shipped module's syntax tree."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def read_statements(path: Path) -> Iterator[ast.AST]:
    """Yield the statements of a module, at every depth; of the tests' modules this is cheaper than every node."""
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        yield node
        for name in _BLOCKS:
            pending += getattr(node, name, ())


def list_modules(*folders: str) -> list[Path]:
    """Return the modules in and below the folders."""
    return sorted(path for folder in folders for path in (PROJECT_ROOT / folder).rglob("*.py"))


def location(path: Path, node: ast.AST | None = None) -> str:
    """Return the path of a file within the project, with the line of a node."""
    line = f":{getattr(node, 'lineno', 0)}" if node else ""
    return f"{path.relative_to(PROJECT_ROOT)}{line}"
