"""The code blocks of the guide work unchanged."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

import pytest

from samples.build import ROOT

GUIDE = (ROOT / "docs" / "guide-extension.md").read_text()


def code_block(language: str, number: int) -> str:
    """Return a code block of the guide."""
    return str(re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)[number])


@pytest.fixture
def importable(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "app.py").write_text(code_block("python", 0))
    (tmp_path / "manifest.json").write_text(code_block("json", 0))
    sys.path.insert(0, str(tmp_path))
    yield
    sys.path.remove(str(tmp_path))
    sys.modules.pop("app", None)


@pytest.mark.usefixtures("importable")
def test_guide_tests_pass() -> None:
    names: dict[str, object] = {}
    exec(code_block("python", 1), names)  # noqa: S102 - the guide's own code
    tests = [function for name, function in names.items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        assert isinstance(test, FunctionType)
        test()


def test_manifest_declares_the_extension_endpoints() -> None:
    endpoints = json.loads(code_block("json", 0))["api"]["endpoints"]
    for endpoint in endpoints:
        assert f'@app.{endpoint["method"].lower()}("{endpoint["path"]}")' in code_block("python", 0)
    assert len(endpoints) == code_block("python", 0).count("@app.")
