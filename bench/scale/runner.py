"""The runner, as deployed ones were measured: it accepts everything, and executes in the order of arrival.

A caller that leaves gains nothing and stops nothing: the run ends later, and its answer is kept. The same request gets
the answer then, but while it still runs, it is executed a second time.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from heapq import heapify, heappop, heappush
from random import Random

from scheduling.domain.runs import NO_RESPONSE, Outcome, RunStatus

COMPILED = tuple((seconds, 1.0) for seconds in range(16, 25))
"""The CPU seconds of an execution on a deployed runner, most of which compile the component; 20 on average."""
QUICK = ((1, 0.50), (2, 0.30), (5, 0.15), (15, 0.04), (30, 0.01))
"""Assumed seconds of runs on a runner that does not compile, with their shares; 2.75 on average."""

RESPONSE_SECONDS = 0.1
"""How long a response takes for which nothing is executed."""

SUCCESS = Outcome(status=RunStatus.SUCCESS, http_status=200)
_NO_CAPACITY = Outcome(status=RunStatus.ERROR, retryable=True, runner_status=503, retry_after=timedelta())
_TIMED_OUT = Outcome(status=RunStatus.ERROR, retryable=True, runner_error=NO_RESPONSE)


@dataclass(frozen=True)
class RunnerSpec:
    """A runner.

    Attributes:
        cores: How many executions make progress at once.
        durations: The seconds of an execution, with their shares.
        capacity: How many requests it has at once before it returns 503; None if it never does.
        outage: The seconds from and until which it returns 503 to everything.
    """

    cores: int
    durations: Sequence[tuple[float, float]] = COMPILED
    capacity: int | None = None
    outage: tuple[int, int] = (0, 0)


class Runner:
    """A runner that is called in the order of time."""

    def __init__(self, spec: RunnerSpec, patience: float, random: Random) -> None:
        self.executions: Counter[int] = Counter()
        """How often each occurrence has been executed."""
        self.timeouts = self.refusals = 0
        self._spec, self._patience, self._random = spec, patience, random
        self._free_at = [0.0] * spec.cores
        self._ends: list[float] = []
        self._answered_at: dict[int, float] = {}
        self._seconds, self._shares = zip(*spec.durations, strict=True)
        heapify(self._free_at)

    def call(self, occurrence: int, now: float) -> tuple[float, Outcome]:
        """Return when the caller has the outcome, and the outcome."""
        if self._answered_at.get(occurrence, now + 1) <= now:
            return now + RESPONSE_SECONDS, SUCCESS
        if self._is_refused(now):
            self.refusals += 1
            return now + RESPONSE_SECONDS, _NO_CAPACITY
        end = max(now, heappop(self._free_at)) + self._draw_duration()
        heappush(self._free_at, end)
        if self._spec.capacity is not None:
            heappush(self._ends, end)
        self.executions[occurrence] += 1
        self._answered_at[occurrence] = min(end, self._answered_at.get(occurrence, end))
        if end <= now + self._patience:
            return end, SUCCESS
        self.timeouts += 1
        return now + self._patience, _TIMED_OUT

    def _is_refused(self, now: float) -> bool:
        start, end = self._spec.outage
        if start <= now < end:
            return True
        if self._spec.capacity is None:
            return False
        while self._ends and self._ends[0] <= now:
            heappop(self._ends)
        return len(self._ends) >= self._spec.capacity

    def _draw_duration(self) -> float:
        if len(self._seconds) == 1:
            return float(self._seconds[0])
        return float(self._random.choices(self._seconds, self._shares)[0])
