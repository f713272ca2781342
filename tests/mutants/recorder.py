"""A pytest plugin: bounds memory, leaves out slow twins, names each test to coverage and writes what it took."""

import json
import os
import resource
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

from tests.mutants.selection import has_faster_twin

RECORD_VARIABLE = "MUTANTS_RECORD"
_MEMORY_BYTES = 4 * 1024**3
_seconds: defaultdict[str, float] = defaultdict(float)
_failed: set[str] = set()

# A mutant may allocate for ever.
resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    tests = {item.nodeid for item in items}
    items[:] = [item for item in items if not has_faster_twin(item.nodeid, tests)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    measurement = coverage.Coverage.current()
    if measurement:
        measurement.switch_context(item.nodeid)
    yield


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _seconds[report.nodeid] += report.duration
    if report.failed:
        _failed.add(report.nodeid)


def pytest_sessionfinish() -> None:
    if path := os.environ.get(RECORD_VARIABLE):
        Path(path).write_text(json.dumps({"seconds": _seconds, "failed": sorted(_failed)}))
