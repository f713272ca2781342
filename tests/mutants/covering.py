"""The tests that run a line, from a run of all of them with the test's name as coverage context."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from coverage import CoverageData

from tests.mutants.recorder import RECORD_VARIABLE
from tests.mutants.relevant_lines import Line, Sources
from tests.mutants.sample import read_sources
from tests.mutants.selection import LAYER, STAGES

PLUGINS = ("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "tests.mutants.recorder")
"""Without xdist and the cache; the examples of hypothesis are the same in each run."""

_MAX_FAILED_SHARE = 0.01
FIXED_EXAMPLES = "--hypothesis-seed=0"


@dataclass(frozen=True)
class Measurement:
    """What each test ran, and how long it took."""

    root: Path
    data: CoverageData
    seconds: dict[str, float]
    sources: Sources
    originals: dict[str, str]
    """The text of each module, as it was before the first mutant."""

    def find_tests(self, module: str, line: int) -> list[list[str]]:
        """Return the tests that a mutant of the line can affect, stage by stage, the quickest files first."""
        tests = self._tests_of(self.sources.relevant_lines(module, line))
        if not tests:
            lines = range(1, 1 + self._last_line(module))
            tests = self._tests_of((module, number) for number in lines)
        return [self._order([test for test in tests if test.startswith(f"{stage}/")]) for stage in STAGES]

    def estimate_seconds(self, tests: Iterable[str]) -> float:
        """Return how long the tests took without a mutant."""
        return sum(self.seconds[test] for test in tests)

    def _tests_of(self, lines: Iterable[Line]) -> set[str]:
        return {test for module, line in lines for test in self._contexts(module).get(line, ())}

    @cache  # noqa: B019 - one measurement per process
    def _contexts(self, module: str) -> dict[int, set[str]]:
        contexts = self.data.contexts_by_lineno(str(self.root / module))
        return {line: {each for each in names if each in self.seconds} for line, names in contexts.items()}

    def _last_line(self, module: str) -> int:
        return max((node.end_lineno or 0 for node in self.sources.trees[module].body), default=0)

    def _order(self, tests: list[str]) -> list[str]:
        of_file: dict[str, float] = defaultdict(float)
        for test in tests:
            of_file[_file(test)] += self.seconds[test]
        return sorted(tests, key=lambda test: (of_file[_file(test)], _file(test), self.seconds[test]))

    def __hash__(self) -> int:
        """Hash by identity, for the cache."""
        return id(self)


def measure(root: Path, folder: Path, tests: Sequence[str], environment: dict[str, str]) -> Measurement:
    """Run the tests once, unless the folder has the measurement already.

    A test that fails without any mutant is named and left out.

    Raises:
        SystemExit: Too many tests fail to trust the rest.
    """
    record, data = folder / "record.json", folder / "coverage"
    if not record.exists():
        print("measuring which test runs which line (some minutes)", flush=True)
        command = [
            sys.executable, "-m", "coverage", "run", f"--data-file={data}", f"--source={root / LAYER}",
            "-m", "pytest", *PLUGINS, FIXED_EXAMPLES, *tests,
        ]  # fmt: skip
        measured = folder / "measured.json"
        subprocess.run(command, cwd=root, env={**environment, RECORD_VARIABLE: str(measured)}, check=False)
        measured.replace(record)
    content = json.loads(record.read_text())
    failed, seconds = content["failed"], content["seconds"]
    print(*(f"left out, since it fails without any mutant: {test}" for test in failed), sep="\n")
    if len(failed) > len(seconds) * _MAX_FAILED_SHARE:
        raise SystemExit(f"{len(failed)} of {len(seconds)} tests fail without any mutant")
    coverage_data = CoverageData(str(data))
    coverage_data.read()
    passed = {test: duration for test, duration in seconds.items() if test not in failed}
    sources = read_sources(root)
    originals = {module: (root / module).read_text("utf-8") for module in sources.trees}
    return Measurement(root, coverage_data, passed, sources, originals)


def files_of(tests: Sequence[str]) -> list[str]:
    """Return the files of the tests, in their order."""
    return list(dict.fromkeys(map(_file, tests)))


def _file(test: str) -> str:
    return test.partition("::")[0]
