"""The project's modules and their syntax trees."""

import ast
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


@cache
def read_tree(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def list_modules(*folders: str) -> list[Path]:
    """Return the modules in and below the folders."""
    return sorted(path for folder in folders for path in (PROJECT_ROOT / folder).rglob("*.py"))


def location(path: Path, node: ast.AST | None = None) -> str:
    """Return the path of a file within the project, with the line of a node."""
    line = f":{getattr(node, 'lineno', 0)}" if node else ""
    return f"{path.relative_to(PROJECT_ROOT)}{line}"
