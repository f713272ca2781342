"""The example in Rust of docs/guide-languages.md, checked by cargo. `make author-test` runs it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from local.settings import PROJECT_ROOT

CARGO = shutil.which("cargo")


@pytest.mark.skipif(CARGO is None, reason="there is no Rust toolchain")
def test_example_compiles_on_the_host(tmp_path: Path) -> None:
    page = (PROJECT_ROOT / "docs" / "guide-languages.md").read_text()
    for language, name in (("toml", "Cargo.toml"), ("rust", "src/lib.rs")):
        (source,) = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    shutil.copytree(PROJECT_ROOT / "sdk" / "wit", tmp_path / "wit")
    result = subprocess.run(
        [str(CARGO), "check", "--quiet"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
