"""Run the covering tests of one mutant."""

import difflib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkItem, WorkResult

from tests.mutants.covering import FIXED_EXAMPLES, PYTEST, STAGES, Measurement, files_of
from tests.mutants.trees import environment, mutate_source, write_module

TIMED_OUT = "timed out"
_PASSED, _UNKNOWN_TEST = 0, 4
_running: set["subprocess.Popen[bytes]"] = set()
_stopped = threading.Event()


class Stopped(Exception):
    """The session was interrupted while the tests of a mutant ran."""


def stop_trials() -> None:
    """Kill the tests that run, and let no trial have a result any more."""
    _stopped.set()
    for process in list(_running):
        _kill_group(process)


def try_mutant(item: WorkItem, tree: Path, measurement: Measurement) -> WorkResult:
    """Return whether a test that covers the mutant's line fails; the first line of the output says where."""
    (mutation,) = item.mutations
    module = str(mutation.module_path.relative_to(measurement.root))
    stages = measurement.find_tests(module, mutation.start_pos[0])
    if not any(stages):
        return WorkResult(WorkerOutcome.NO_TEST, "no test runs it", TestOutcome.SURVIVED)
    source = mutation.module_path.read_text("utf-8")
    mutated = mutate_source(source, mutation)
    number = 1_000_000_000 + 2 * int(item.job_id)
    write_module(tree / module, mutated, number)
    try:
        where = _first_failing_stage(tree, stages, measurement)
    finally:
        write_module(tree / module, source, number + 1)
    diff = difflib.unified_diff(source.splitlines(), mutated.splitlines(), module, module, lineterm="", n=0)
    outcome = TestOutcome.SURVIVED if where is None else TestOutcome.KILLED
    summary = f"{where or 'survived'}; {sum(map(len, stages))} tests"
    return WorkResult(WorkerOutcome.NORMAL, summary, outcome, "\n".join(diff))


def _first_failing_stage(tree: Path, stages: Sequence[Sequence[str]], measurement: Measurement) -> str | None:
    for stage, tests in zip(STAGES, stages, strict=True):
        if tests:
            limit = 30 + 10 * measurement.estimate_seconds(tests)
            code = _run_tests(tree, tests, limit)
            if code == _UNKNOWN_TEST:  # the mutant changes a parameter that is in the test's name
                code = _run_tests(tree, files_of(tests), 30 + 10 * sum(measurement.seconds.values()))
            if code != _PASSED:
                return f"{stage}, {TIMED_OUT}" if code is None else stage
    return None


def _run_tests(tree: Path, tests: Sequence[str], seconds: float) -> int | None:
    """Return pytest's exit code; None if it takes too long."""
    arguments = tree.with_suffix(".tests")
    arguments.write_text("\n".join(tests), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, *PYTEST, FIXED_EXAMPLES, "-x", "--no-header", "--tb=no", f"@{arguments}"],
        cwd=tree,
        env=environment(tree),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    _running.add(process)
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        _kill_group(process)
        _running.discard(process)
    if _stopped.is_set():
        raise Stopped
    return code


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill the tests' process and whatever it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()
