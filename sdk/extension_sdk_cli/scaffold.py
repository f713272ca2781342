"""Makes a new extension."""

import re
from importlib.resources import files
from pathlib import Path
from string import Template

from extension_sdk_cli.errors import CommandError

_NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_FILES = ("app.py", "manifest.json", "pyproject.toml", "tests/test_app.py")


def create_extension(name: str, parent: Path) -> Path:
    """Create a folder with an extension that works, and return it.

    Raises:
        CommandError: The name is invalid, or the folder exists.
    """
    if not _NAME_PATTERN.fullmatch(name):
        raise CommandError(f"{name!r} is no name: use lower-case letters, digits and single hyphens")
    folder = parent / name
    if folder.exists():
        raise CommandError(f"{folder} exists already")
    for path in _FILES:
        _write_file(folder / path, f"{path}.txt", name)
    _write_file(folder / ".gitignore", "gitignore.txt", name)
    return folder


def _write_file(target: Path, template: str, name: str) -> None:
    text = files("extension_sdk_cli").joinpath("template", template).read_text(encoding="utf-8")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(Template(text).substitute(name=name), encoding="utf-8")
