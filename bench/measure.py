"""Processes measured in turn, so that whatever else the machine does befalls all of them."""

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
"""By subject and operation."""
BATCHES = 4
GATED_ROUNDS = 3
"""How many times the rounds of others a case has whose fresh processes are held to a gate."""
T = TypeVar("T")


@dataclass(frozen=True)
class BenchCase:
    """One operation of one subject."""

    subject: Subject
    operation: str
    stage: Stage
    environment: Mapping[str, str] = field(default_factory=dict)
    calls: int = 20
    """In a batch."""

    @property
    def key(self) -> tuple[str, str]:
        """What its figures go by."""
        return self.subject.name, self.operation

    def cold_start(self) -> Result:
        """A fresh process up to the ready handler."""
        return self._run_cold({})

    def first_call(self) -> Result:
        """A fresh process up to its first answer."""
        return self._run_cold({"event": self.stage.events[self.operation]})

    def _run_cold(self, spec: Mapping[str, object]) -> Result:
        with start_probe("cold", self.subject, self.operation, self.environment, spec) as process:
            return dict(process.receive())

    def start_warm(self, stack: ExitStack) -> tuple[Probe, Result]:
        """A warm process that measures a batch whenever it is told, and what one call asks and answers."""
        event, items = self.stage.events[self.operation], self.stage.items
        spec = {"event": event, "items": items, "calls": self.calls, "warmup": 20}
        process = stack.enter_context(
            start_probe("warm", self.subject, self.operation, self.environment, spec)
        )
        return process, process.receive()

    def single_call(self) -> Result:
        """What one call asks of AWS, and its answer."""
        with ExitStack() as stack:
            return self.start_warm(stack)[1]


def measure_in_rotation(
    cases: Sequence[BenchCase], measure: Callable[[BenchCase], Result], rounds: int, label: str
) -> Figures:
    """Measure every case once a round, each round beginning with another; without cases there is no round."""
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
    what: str,
) -> Figures:
    """Measure starts of processes: short and so the noisiest, in more rounds where they are held to a gate."""
    return {
        **measure_in_rotation(gated, measure, GATED_ROUNDS * rounds, what),
        **measure_in_rotation(others, measure, rounds, f"{what} of the others"),
    }


def measure_in_batches(groups: Sequence[Sequence[BenchCase]], rounds: int, label: str) -> Figures:
    """Every group in fresh processes each round; those of a group take turns by the batch, one running at a time."""
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
    """A batch of calls, in us of CPU a call."""
    process.send("measure")
    return float(process.receive())


def _empty_figures(cases: Sequence[BenchCase]) -> dict[tuple[str, str], list[Result]]:
    return {case.key: [] for case in cases}


def _rotate(cases: Sequence[T], number: int) -> Sequence[T]:
    """Not reversed: one that runs twice in a row finds the caches warm."""
    rotated = deque(cases)
    rotated.rotate(-number)
    return list(rotated)


def median(results: Sequence[Result], name: str) -> float:
    """Of one figure."""
    return float(statistics.median(each[name] for each in results))


def median_ratio(numerators: Sequence[Result], denominators: Sequence[Result], name: str) -> float:
    """The median of the pairs' ratios: what befalls the machine meanwhile is in both figures of a pair."""
    ratios = (
        numerator[name] / denominator[name]
        for numerator, denominator in zip(numerators, denominators, strict=True)
    )
    return float(statistics.median(ratios))
