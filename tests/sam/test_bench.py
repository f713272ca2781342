"""`make bench` and `make bench-gate` on the artifacts of `sam build`, in one round: they run to the end."""

import subprocess
import sys
from pathlib import Path

from bench.gates import LARGE_MAX_CALLS, MAX_CALLS, MAX_WARM_RATIOS
from bench.subjects import PEERS
from local.settings import PROJECT_ROOT


def run_bench(*options: str) -> str:
    """Run the bench and return its output; gates of times may fail, since one round is no measurement."""
    completed = subprocess.run(
        [sys.executable, "-m", "bench", "--rounds", "1", *options],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode in (0, 1), completed.stderr
    assert "Traceback" not in completed.stderr, completed.stderr
    return completed.stdout


def assert_gates_are_printed(output: str) -> None:
    rows = [line for line in output.splitlines() if line.startswith("\u2502")]
    for name in [*(f"warm CPU, {operation}" for operation in MAX_WARM_RATIOS), "control, warm delete"]:
        assert any(name in row for row in rows), output
    call_rows = [row for row in rows if any(f"AWS calls, {operation}" in row for operation in MAX_CALLS)]
    assert len(call_rows) == len(MAX_CALLS) + len(LARGE_MAX_CALLS)
    assert not any(row.endswith("no \u2502") for row in call_rows), output


def test_gates_are_measured_in_one_round(tmp_path: Path) -> None:
    assert_gates_are_printed(run_bench("--gate", "--output", str(tmp_path)))

    assert list(tmp_path.iterdir()) == []


def test_whole_run_in_one_round_writes_the_results(tmp_path: Path) -> None:
    assert_gates_are_printed(run_bench("--output", str(tmp_path)))

    page = (tmp_path / "results.md").read_text()
    assert all(peer.name in page for peer in PEERS)
    assert (tmp_path / "results.svg").read_text().startswith("<svg")
