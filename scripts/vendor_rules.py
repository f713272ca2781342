"""Copy the service's rules of schedules into the SDK, where `FakeHost` and `extension-sdk check` apply them.

The modules are copied unchanged but for the name of the package.
"""

import ast
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOMAIN = ROOT / "layers" / "scheduling" / "scheduling" / "domain"
TARGET = ROOT / "sdk" / "extension_sdk_rules"
PACKAGE = "scheduling.domain"
FIRST_MODULES = ("rules", "window", "cron.occurrences")
HEADER = f"# Copied from {DOMAIN.relative_to(ROOT).as_posix()} by scripts/vendor_rules.py. Do not edit.\n"
INIT_TEXT = (
    '''"""The service's rules of schedules, copied so that the SDK decides as the service does."""\n'''
)


def render_rules() -> dict[str, str]:
    """Return the text of each file of the copy, by its path in the package."""
    modules: dict[str, str] = {}
    remaining = list(FIRST_MODULES)
    while remaining:
        name = remaining.pop()
        path = f"{name.replace('.', '/')}.py"
        if path not in modules:
            source = (DOMAIN / path).read_text()
            modules[path] = HEADER + source.replace(PACKAGE, TARGET.name)
            remaining += _find_domain_imports(source)
    folders = {str(Path(path).parent) for path in modules} - {"."}
    packages = {f"{folder}/__init__.py": "" for folder in sorted(folders)}
    return {"__init__.py": INIT_TEXT, **packages, "py.typed": "", **modules}


def main() -> None:
    """Write the copy."""
    shutil.rmtree(TARGET, ignore_errors=True)
    for path, text in render_rules().items():
        (TARGET / path).parent.mkdir(parents=True, exist_ok=True)
        (TARGET / path).write_text(text)


def _find_domain_imports(source: str) -> list[str]:
    prefix = f"{PACKAGE}."
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(prefix):
            names.append((node.module or "").removeprefix(prefix))
    return names


if __name__ == "__main__":
    main()
