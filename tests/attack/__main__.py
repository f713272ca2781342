"""Attack the service for some minutes: `make attack` (SEED, REQUESTS, CHANGES and HISTORIES choose what)."""

import argparse
import logging
import subprocess
import sys

from local.settings import PROJECT_ROOT, child_environment
from tests.attack.fuzz.fuzzer import run_fuzzer

HOSTILE_COMPONENTS = PROJECT_ROOT / "tests" / "runner" / "sandbox" / "test_hostile.py"
"""The tests that let hostile components loose on the reference runner."""


def main() -> int:
    """Run the attacks one after the other, and print what each has found; 1 if any has found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first history, and of the requests")
    parser.add_argument("--requests", type=int, default=30_000, help="how many requests to send")
    parser.add_argument("--histories", type=int, default=2, help="how many histories of killed processes")
    parser.add_argument("--changes", type=int, default=250, help="changes of schedules in each history")
    arguments = parser.parse_args()
    logging.disable()
    seeds = range(arguments.seed, arguments.seed + arguments.histories)
    found = [
        _attack_routes(arguments.seed, arguments.requests),
        *(_attack_processes(seed, arguments.changes) for seed in seeds),
        _attack_runner(),
    ]
    _print(f"\n{sum(found)} of {len(found)} attacks found something")
    return 1 if any(found) else 0


def _attack_routes(seed: int, count: int) -> bool:
    _print("hostile requests to every route")
    report = run_fuzzer(seed, count, _print_progress)
    _print(report.summarize())
    return bool(report.violations)


def _attack_processes(seed: int, changes: int) -> bool:
    _print("\na history of killed processes and outages")
    return _run_module("tests.attack.histories", "--seed", str(seed), "--changes", str(changes))


def _attack_runner() -> bool:
    _print("\nhostile components in the runner")
    return _run_module("pytest", "-q", "-n", "2", str(HOSTILE_COMPONENTS))


def _run_module(module: str, *arguments: str) -> bool:
    """Run a module in a process of its own, and return whether it failed."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=PROJECT_ROOT, env=child_environment(), check=False).returncode != 0


def _print_progress(sent: int) -> None:
    if sent % 5_000 == 0:
        sys.stderr.write(f"  {sent} sent\n")  # standard output has the metrics of the functions


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
