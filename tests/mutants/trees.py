"""Copies of the source tree: mutants are made in a copy, never in the working tree."""

import hashlib
import os
import shutil
from pathlib import Path

import cosmic_ray.plugins
from cosmic_ray.mutating import mutate_code
from cosmic_ray.work_item import MutationSpec

MUTANTS = Path(__file__).parent
_IGNORED = (
    ".git",
    ".venv",
    "build",
    "dist",
    ".aws-sam",
    ".hypothesis",
    "__pycache__",
    ".*_cache",
    "node_modules",
)


def copy_tree(root: Path, target: Path) -> Path:
    """Copy the project's sources, in place of an earlier copy."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root, target, ignore=shutil.ignore_patterns(*_IGNORED), symlinks=True)
    (target / "build").mkdir()
    return target


def hash_sources(root: Path) -> str:
    """Return a hash of what a result depends on: layer, functions, local stack and tests, but not this tool."""
    digest = hashlib.sha256()
    files = [
        path
        for folder in ("layers", "functions", "local", "scheduling_admin", "scripts", "tests")
        for path in sorted((root / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.parent != MUTANTS
    ]
    for path in [*files, root / "template.yaml", root / "pyproject.toml"]:
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def environment(root: Path) -> dict[str, str]:
    """Return the environment for the tests of a copy."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV"))}
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join(str(root / folder) for folder in ("layers/scheduling", "sdk", ".")),
        "PYTHONPYCACHEPREFIX": f"{root}.pycache",
        "PYTHONDONTWRITEBYTECODE": "",
    }


def mutate_source(source: str, mutation: MutationSpec) -> str:
    """Return the source with the mutation."""
    operator = cosmic_ray.plugins.get_operator(mutation.operator_name)(**mutation.operator_args)
    mutated = mutate_code(source, operator, mutation.occurrence)
    if mutated is None:
        raise AssertionError(f"no such mutant: {mutation}")
    return str(mutated)


def write_module(path: Path, source: str, number: int) -> None:
    """Write a module with a time of its own: byte code is compared by whole seconds and size."""
    path.write_text(source, encoding="utf-8")
    os.utime(path, (number, number))
