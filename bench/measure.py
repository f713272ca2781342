"""Processes measured in turn, so that other load on the machine affects all of them."""

import statistics
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rich.progress import track

from bench.processes import Probe, start_probe
from bench.stage import Stage
from bench.subjects import Subject

Result = Mapping[str, Any]
Figures = Mapping[tuple[str, str], Sequence[Result]]
"""Results by subject and operation."""
BATCHES = 4
GATED_ROUNDS = 3
"""The factor of rounds for cases whose fresh processes have a gate."""
T = TypeVar("T")


@dataclass(frozen=True)
class BenchCase:
    """One operation of one subject."""

    subject: Subject
    operation: str
    stage: Stage
    environment: Mapping[str, str] = field(default_factory=dict)
    calls: int = 20
    """Calls in a batch."""

    @property
    def key(self) -> tuple[str, str]:
        """The key of its figures."""
        return self.subject.name, self.operation

    def cold_start(self) -> Result:
        """Measure a fresh process up to the ready handler."""
        return self._run_cold({})

    def first_call(self) -> Result:
        """Measure a fresh process up to its first response."""
        return self._run_cold({"event": self.stage.events[self.operation]})

    def _run_cold(self, spec: Mapping[str, object]) -> Result:
        with start_probe("cold", self.subject, self.operation, self.environment, spec) as process:
            return dict(process.receive())

    def start_warm(self, stack: ExitStack) -> tuple[Probe, Result]:
        """Start a warm process and return it with the requests and the response of one call."""
        event, items = self.stage.events[self.operation], self.stage.items
        spec = {"event": event, "items": items, "calls": self.calls, "warmup": 20}
        process = stack.enter_context(
            start_probe("warm", self.subject, self.operation, self.environment, spec)
        )
        return process, process.receive()

    def single_call(self) -> Result:
        """Return the AWS requests and the response of one call."""
        with ExitStack() as stack:
            return self.start_warm(stack)[1]


def measure_in_rotation(
    cases: Sequence[BenchCase], measure: Callable[[BenchCase], Result], rounds: int, label: str
) -> Figures:
    """Measure every case once a round, each round starting with another case; no cases mean no rounds."""
    figures = _empty_figures(cases)
    if not cases:
        return figures
    for number in track(range(rounds), label):
        for case in _rotate(cases, number):
            figures[case.key].append(measure(case))
    return figures


def in_fresh_processes(
    gated: Sequence[BenchCase],
    others: Sequence[BenchCase],
    measure: Callable[[BenchCase], Result],
    rounds: int,
    label: str,
) -> Figures:
    """Measure starts of processes; they are short and noisy, so cases with a gate get more rounds."""
    return {
        **measure_in_rotation(gated, measure, GATED_ROUNDS * rounds, label),
        **measure_in_rotation(others, measure, rounds, f"{label} of the others"),
    }


def measure_in_batches(groups: Sequence[Sequence[BenchCase]], rounds: int, label: str) -> Figures:
    """Measure every group in new processes each round; the processes of a group take turns batch by batch."""
    figures = _empty_figures([case for group in groups for case in group])
    for round_number in track(range(rounds), label):
        for group in groups:
            with ExitStack() as stack:
                processes = [(case.key, *case.start_warm(stack)) for case in group]
                for number in range(round_number, round_number + BATCHES):
                    for key, process, call in _rotate(processes, number):
                        figures[key].append({**call, "cpu": measure_batch(process)})
    return figures


def measure_batch(process: Probe) -> float:
    """Measure a batch and return the CPU of a call in us."""
    process.send("measure")
    return float(process.receive())


def _empty_figures(cases: Sequence[BenchCase]) -> dict[tuple[str, str], list[Result]]:
    return {case.key: [] for case in cases}


def _rotate(cases: Sequence[T], number: int) -> Sequence[T]:
    """Rotate rather than reverse, since a case that runs twice in a row finds warm caches."""
    rotated = deque(cases)
    rotated.rotate(-number)
    return list(rotated)


def median(results: Sequence[Result], name: str) -> float:
    """Return the median of one figure."""
    return float(statistics.median(each[name] for each in results))


def median_ratio(numerators: Sequence[Result], denominators: Sequence[Result], name: str) -> float:
    """Return the median of the pairs' ratios; load on the machine affects both figures of a pair."""
    ratios = (
        numerator[name] / denominator[name]
        for numerator, denominator in zip(numerators, denominators, strict=True)
    )
    return float(statistics.median(ratios))
