"""Run one history: `python -m tests.attack.histories --seed 1 --changes 500`; exits 1 if the audit finds anything."""

import argparse
import logging
import sys
import tempfile
from pathlib import Path

from tests.attack.histories.history import run_history


def main() -> int:
    """Run a history and print its report."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack.histories", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--changes", type=int, default=500)
    arguments = parser.parse_args()
    logging.disable()  # most operations have faults
    with tempfile.TemporaryDirectory() as folder:
        report = run_history(arguments.seed, arguments.changes, Path(folder))
    sys.stdout.write(report.summarize() + "\n")
    return 1 if report.violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
