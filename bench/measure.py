"""Processes measured in turn, so that whatever else the machine does befalls all of them."""

import statistics
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rich.progress import track

from bench.processes import Probe, probe
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
class Case:
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

    def start(self) -> Result:
        """A fresh process up to the ready handler."""
        return self._once({})

    def first(self) -> Result:
        """A fresh process up to its first answer."""
        return self._once({"event": self.stage.events[self.operation]})

    def _once(self, spec: Mapping[str, object]) -> Result:
        with probe("cold", self.subject, self.operation, self.environment, spec) as running:
            return dict(running.hear())

    def warmed(self, stack: ExitStack) -> tuple[Probe, Result]:
        """A warm process that measures a batch whenever it is told, and what one call asks and answers."""
        event, items = self.stage.events[self.operation], self.stage.items
        spec = {"event": event, "items": items, "calls": self.calls, "warmup": 20}
        running = stack.enter_context(probe("warm", self.subject, self.operation, self.environment, spec))
        return running, running.hear()

    def call(self) -> Result:
        """What one call asks of AWS, and its answer."""
        with ExitStack() as stack:
            return self.warmed(stack)[1]


def in_turn(cases: Sequence[Case], measure: Callable[[Case], Result], rounds: int, what: str) -> Figures:
    """Measure every case once a round, each round beginning with another; without cases there is no round."""
    found = _nothing(cases)
    if not cases:
        return found
    for number in track(range(rounds), what):
        for case in _rotated(cases, number):
            found[case.key].append(measure(case))
    return found


def in_fresh_processes(
    gated: Sequence[Case], others: Sequence[Case], measure: Callable[[Case], Result], rounds: int, what: str
) -> Figures:
    """Measure starts of processes: short and so the noisiest, in more rounds where they are held to a gate."""
    return {
        **in_turn(gated, measure, GATED_ROUNDS * rounds, what),
        **in_turn(others, measure, rounds, f"{what} of the others"),
    }


def in_batches(groups: Sequence[Sequence[Case]], rounds: int, what: str) -> Figures:
    """Every group in fresh processes each round; those of a group take turns by the batch, one running at a time."""
    found = _nothing([case for group in groups for case in group])
    for turn in track(range(rounds), what):
        for group in groups:
            with ExitStack() as stack:
                warmed = [(case.key, *case.warmed(stack)) for case in group]
                for number in range(turn, turn + BATCHES):
                    for key, running, asked in _rotated(warmed, number):
                        found[key].append({**asked, "cpu": measured(running)})
    return found


def measured(running: Probe) -> float:
    """A batch of calls, in us of CPU a call."""
    running.tell("measure")
    return float(running.hear())


def _nothing(cases: Sequence[Case]) -> dict[tuple[str, str], list[Result]]:
    return {case.key: [] for case in cases}


def _rotated(cases: Sequence[T], number: int) -> Sequence[T]:
    """Not reversed: one that runs twice in a row finds the caches warm."""
    rotated = deque(cases)
    rotated.rotate(-number)
    return list(rotated)


def median(results: Sequence[Result], name: str) -> float:
    """Of one figure."""
    return float(statistics.median(each[name] for each in results))


def paired(these: Sequence[Result], those: Sequence[Result], name: str) -> float:
    """The median of the pairs' ratios: what befalls the machine meanwhile is in both figures of a pair."""
    ratios = (this[name] / that[name] for this, that in zip(these, those, strict=True))
    return float(statistics.median(ratios))
