"""A short history in its own process, and the checks that it relies on; `make attack` runs a long one."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.settings import PROJECT_ROOT, child_environment
from tests.attack.histories.ledger import Definition, Entry, Ledger, LedgerFile, read_entries

KEY = ("install-0", "a")
FIRST, SECOND = (1, True), (2, False)


def test_killed_processes_leave_both_systems_in_agreement() -> None:
    command = [sys.executable, "-m", "tests.attack.histories", "--seed", "1", "--changes", "40"]
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, env=child_environment(), capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 violations" in done.stdout
    assert "\n0 processes killed" not in done.stdout


def test_change_without_an_end_is_open(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = LedgerFile(path)
    ledger.write("begin", *KEY, FIRST)
    ledger.write("end", "done")
    ledger.write("begin", *KEY, None)

    assert list(read_entries(path)) == [Entry(KEY, FIRST, "done"), Entry(KEY, None, "open")]


@pytest.mark.parametrize(
    ("entries", "stored", "consistent"),
    [
        pytest.param([(FIRST, "done")], FIRST, True, id="created"),
        pytest.param([(FIRST, "done")], None, False, id="a created schedule is lost"),
        pytest.param([(FIRST, "refused")], None, True, id="not created"),
        pytest.param([(FIRST, "refused")], FIRST, False, id="a refused create appears"),
        pytest.param([(FIRST, "open")], FIRST, True, id="killed, and created"),
        pytest.param([(FIRST, "open")], None, True, id="killed, and not created"),
        pytest.param([(FIRST, "open")], SECOND, False, id="a definition that nobody made"),
        pytest.param([(FIRST, "done"), (SECOND, "open")], FIRST, True, id="the update did not happen"),
        pytest.param([(FIRST, "done"), (SECOND, "open")], None, False, id="the update deleted it"),
        pytest.param([(FIRST, "done"), (None, "done")], None, True, id="deleted"),
        pytest.param([(FIRST, "done"), (None, "done")], FIRST, False, id="a deleted schedule returns"),
        pytest.param([(FIRST, "done"), (SECOND, "absent")], FIRST, False, id="not found, but it exists"),
        pytest.param([(FIRST, "done"), (None, "done"), (FIRST, "present")], None, False, id="a name never freed"),
        pytest.param([(FIRST, "open"), (SECOND, "present")], FIRST, True, id="the killed create took the name"),
    ],
)  # fmt: skip
def test_ledger_compares_what_callers_learned(
    entries: list[tuple[Definition | None, str]], stored: Definition | None, consistent: bool
) -> None:
    ledger = Ledger()
    for after, outcome in entries:
        ledger.record(Entry(KEY, after, outcome))

    ledger.check({KEY: stored} if stored else {})

    assert (ledger.violations == []) is consistent
