"""Processes measured in turn, so that whatever else the machine does befalls all of them."""

import json
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.progress import track

from bench.stage import ENVIRONMENT, WORK, Stage, python
from bench.subjects import BENCH, Subject

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """One operation of one subject in a process of its own: `warm`, `cold` or, over TLS, `first`."""

    subject: Subject
    operation: str
    kind: str
    stage: Stage
    environment: Mapping[str, str] = field(default_factory=dict)
    calls: int = 20
    batches: int = 3

    def run(self) -> Result:
        """What `probe.py` found."""
        spec = {"module": self.subject.module_of(self.operation), "handler": "handler"}
        if self.kind != "cold":
            spec["event"] = self.stage.events[self.operation]  # type: ignore[assignment]
        if self.kind == "warm":
            more = {"items": self.stage.items, "calls": self.calls, "batches": self.batches, "warmup": 20}
            spec |= more  # type: ignore[arg-type]
        given, found = WORK / "spec.json", WORK / "result.json"
        given.write_text(json.dumps(spec))
        path = {"PYTHONPATH": self.subject.path(self.operation)}
        done = subprocess.run(
            [python(), "-P", str(BENCH / "probe.py"), str(given), str(found)],
            env={**ENVIRONMENT, **self.subject.environment, **self.environment, **path},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(
                f"bench: {self.subject.name}, {self.operation}, {self.kind}:\n{done.stderr[-3000:]}"
            )
        return dict(json.loads(found.read_text()))


def in_turn(cases: Sequence[Case], rounds: int, what: str) -> Mapping[tuple[str, str], Sequence[Result]]:
    """Every case once a round, forwards and backwards by turns; by subject and operation."""
    found: dict[tuple[str, str], list[Result]] = {(each.subject.name, each.operation): [] for each in cases}
    for number in track(range(rounds), what):
        for case in cases if number % 2 == 0 else reversed(cases):
            found[case.subject.name, case.operation].append(case.run())
    return found


def median(results: Sequence[Result], name: str) -> float:
    """Of one figure."""
    return float(statistics.median(each[name] for each in results))


def paired(these: Sequence[Result], those: Sequence[Result], name: str) -> float:
    """The median of the rounds' ratios: what befalls a whole round is in both of its figures."""
    ratios = (this[name] / that[name] for this, that in zip(these, those, strict=True))
    return float(statistics.median(ratios))
