"""`make help` fits a terminal and lists every target."""

import re
import subprocess
from shutil import which

from local.settings import PROJECT_ROOT


def test_help_lists_every_target_in_groups_within_80_columns() -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)", makefile, re.MULTILINE)
    assert phony
    targets = set(phony[1].replace("\\\n", " ").split())
    done = subprocess.run(
        [which("make") or "make", "help"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()

    assert set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)) == targets
    assert {line.split()[0] for line in lines if re.match("  [a-z-]+  ", line)} == targets
    assert [line for line in lines if line.startswith(("Try", "Test", "Build", "Operate"))] == [
        "Try", "Test", "Build", "Operate",
    ]  # fmt: skip
    assert max(map(len, lines)) <= 80
