"""Try a mutant in a copy of the sources: run the tests that cover its line, until one fails."""

import difflib
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkItem, WorkResult

from tests.mutants.covering import FIXED_EXAMPLES, PLUGINS, Measurement, files_of
from tests.mutants.selection import STAGES
from tests.mutants.trees import environment, mutate_source, write_module

TIMED_OUT = "timed out"
_PASSED, _UNKNOWN_TEST = 0, 4
_STARTING_SECONDS, _SLOWER = 60, 4
"""A mutant times out when it takes that many times as long as the tests do without it."""


@dataclass(frozen=True)
class Tree:
    """A copy of the sources, and the process that runs tests in it."""

    root: Path
    server: "subprocess.Popen[str]"

    def run_tests(self, tests: Sequence[str], seconds: float) -> int | None:
        """Return pytest's exit code; None if it takes too long.

        Raises:
            EOFError: The process was stopped.
        """
        arguments = self.root.with_suffix(".tests")
        arguments.write_text("\n".join(tests), encoding="utf-8")
        options = [*PLUGINS, FIXED_EXAMPLES, "-x", "--no-header", "--tb=no", f"@{arguments}"]
        requests, responses = cast(IO[str], self.server.stdin), cast(IO[str], self.server.stdout)
        requests.write(f"{json.dumps([options, seconds])}\n")
        requests.flush()
        if not (response := responses.readline()):
            raise EOFError("the process that runs the tests has ended")
        return cast("int | None", json.loads(response))

    def stop(self) -> None:
        """End the process and the tests that it runs."""
        self.server.terminate()
        self.server.wait()


def start_tree(root: Path) -> Tree:
    """Start the process that runs tests in a copy; it ignores Ctrl-C, and is stopped by this process."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.mutants.fork_server"],
        cwd=root,
        env=environment(root),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    return Tree(root, server)


def try_mutant(item: WorkItem, tree: Tree, measurement: Measurement) -> WorkResult:
    """Return whether a test that covers the mutant's line fails; the output begins with where."""
    (mutation,) = item.mutations
    module = str(mutation.module_path.relative_to(measurement.root))
    stages = measurement.find_tests(module, mutation.start_pos[0])
    if not any(stages):
        return WorkResult(WorkerOutcome.NO_TEST, "no test runs it", TestOutcome.SURVIVED)
    source = measurement.originals[module]
    mutated = mutate_source(source, mutation)
    number = 1_000_000_000 + 2 * int(item.job_id)
    write_module(tree.root / module, mutated, number)
    try:
        where = _first_failing_stage(tree, stages, measurement)
    finally:
        write_module(tree.root / module, source, number + 1)
    diff = difflib.unified_diff(source.splitlines(), mutated.splitlines(), module, module, lineterm="", n=0)
    outcome = TestOutcome.SURVIVED if where is None else TestOutcome.KILLED
    summary = f"{where or 'survived'}; {sum(map(len, stages))} tests"
    return WorkResult(WorkerOutcome.NORMAL, summary, outcome, "\n".join(diff))


def _first_failing_stage(tree: Tree, stages: Sequence[Sequence[str]], measurement: Measurement) -> str | None:
    for stage, tests in zip(STAGES, stages, strict=True):
        if tests:
            code = tree.run_tests(tests, _limit(measurement.estimate_seconds(tests)))
            if code == _UNKNOWN_TEST:  # the mutant changes a parameter that is in the test's name
                code = tree.run_tests(files_of(tests), _limit(sum(measurement.seconds.values())))
            if code != _PASSED:
                return f"{stage}, {TIMED_OUT}" if code is None else stage
    return None


def _limit(seconds: float) -> float:
    return _STARTING_SECONDS + _SLOWER * seconds
