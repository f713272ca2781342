"""`make bench` and `make bench-gate` on what `sam build` made, in one round: that they run, not what they measure."""

import subprocess
import sys
from pathlib import Path

from bench.gates import MAX_CALLS, MAX_WARM_RATIOS
from bench.subjects import PEERS
from local.settings import PROJECT_ROOT


def run_bench(*options: str) -> str:
    """Return what is printed; gates of times may fail, since one round is no measurement."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--rounds", "1", *options],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def assert_gates_are_printed(output: str) -> None:
    rows = [line for line in output.splitlines() if line.startswith("\u2502")]
    for name in [*(f"warm CPU, {operation}" for operation in MAX_WARM_RATIOS), "control, warm delete"]:
        assert any(name in row for row in rows), output
    counted = [row for row in rows if any(f"AWS calls, {operation}" in row for operation in MAX_CALLS)]
    assert len(counted) == len(MAX_CALLS)
    assert not any(row.endswith("no \u2502") for row in counted), output


def test_the_gates_are_measured_in_one_round(tmp_path: Path) -> None:
    assert_gates_are_printed(run_bench("--gate", "--output", str(tmp_path)))

    assert list(tmp_path.iterdir()) == []


def test_a_whole_run_in_one_round_writes_the_results(tmp_path: Path) -> None:
    assert_gates_are_printed(run_bench("--output", str(tmp_path)))

    page = (tmp_path / "results.md").read_text()
    assert all(peer.name in page for peer in PEERS)
    assert (tmp_path / "results.svg").read_text().startswith("<svg")
