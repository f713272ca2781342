"""The design before the queue: EventBridge Scheduler and Lambda's asynchronous invocation (decision 023).

Lambda throttles what exceeds the function's concurrency, and tries it again after one second, doubled up to five
minutes, for six hours. A failed invocation is repeated after one and after two minutes, whatever the runner's answer
was. What expires or fails three times is a dead letter. Assumed are a jitter of half of each wait, and that events that
are throttled together are tried again in up to four parts. That Lambda also reads a long queue more slowly is left out.
"""

from collections import defaultdict
from functools import partial
from math import ceil
from random import Random
from typing import NamedTuple

from scheduling.domain.runs import Outcome, RunStatus

from bench.scale.events import Events
from bench.scale.ledger import Fate, Figures, Ledger
from bench.scale.loads import HOUR, SEED, Load
from bench.scale.runner import Runner, RunnerSpec
from bench.scale.stacks import HANDLING_SECONDS, RUNNER_SETTINGS, Stack

EVENT_AGE = 6 * HOUR
NEW_ENVIRONMENTS_PER_SECOND = 100
"""New environments of one function per second; AWS documents 1,000 in ten seconds."""

RETRY_DELAYS = (60, 120)
FIRST_BACKOFF, LONGEST_BACKOFF, MAX_THROTTLES = 1, 300, 9
ENTRY_SECONDS = 300
MAX_PARTS, MAX_BATCHES_TO_SPLIT = 4, 300


class Batch(NamedTuple):
    """Events with the same numbers of throttles and failures, which entered the queue in the same five minutes."""

    entered: int
    throttled: int = 0
    failed: int = 0


class LambdaDesign:
    """One stack without a queue, under one load."""

    def __init__(self, load: Load, stack: Stack, spec: RunnerSpec) -> None:
        self._stack = stack
        self._random = Random(SEED)  # noqa: S311 - a simulation
        self._runner = Runner(spec, RUNNER_SETTINGS.patience.total_seconds(), Random(SEED))  # noqa: S311
        self._ledger = Ledger(load)
        self._events = Events(load.list_arrivals(stack.timer_rate), self._arrive)
        self._waiting: defaultdict[tuple[int, Batch], list[int]] = defaultdict(list)
        self._executing: set[int] = set()
        self._in_flight = self._peak = self._invocations = 0
        self._growing_since: float | None = None

    def run(self, until: float) -> Figures:
        """Simulate so many seconds, or until all occurrences are finished."""
        end = self._events.run(until)
        queued = [each for occurrences in self._waiting.values() for each in occurrences]
        return self._ledger.summarize(
            waiting=[*queued, *self._executing, *self._events.list_arrivals()],
            executions=self._runner.executions,
            timeouts=self._runner.timeouts,
            refusals=self._runner.refusals,
            messages=self._invocations,
            peak=self._peak,
            hours=round(end / HOUR, 1),
        )

    def _arrive(self, now: float, occurrence: int) -> None:
        if self._growing_since is None:
            self._growing_since = now
        self._collect([occurrence], ceil(now), Batch(int(now) // ENTRY_SECONDS * ENTRY_SECONDS))

    def _collect(self, occurrences: list[int], ready: int, batch: Batch) -> None:
        """Add events to those of a batch that are ready in the same second."""
        if (ready, batch) not in self._waiting:
            self._events.at(ready, partial(self._invoke, ready, batch))
        self._waiting[ready, batch].extend(occurrences)

    def _invoke(self, ready: int, batch: Batch, now: float) -> None:
        """Start as many events as the concurrency allows, and throttle the others."""
        occurrences = self._waiting.pop((ready, batch))
        if now - batch.entered > EVENT_AGE:
            for each in occurrences:
                self._ledger.record_fate(each, Fate.DEAD_LETTER)
            return
        environments = int((now - (self._growing_since or 0)) * NEW_ENVIRONMENTS_PER_SECOND)
        free = max(0, min(self._stack.concurrency, environments) - self._in_flight)
        for each in occurrences[:free]:
            self._start(each, batch, now)
        self._peak = max(self._peak, self._in_flight)
        self._back_off(occurrences[free:], batch, now)

    def _start(self, occurrence: int, batch: Batch, now: float) -> None:
        self._in_flight += 1
        self._invocations += 1
        self._executing.add(occurrence)
        end, outcome = self._runner.call(occurrence, now + HANDLING_SECONDS)
        self._events.at(end, partial(self._finish, occurrence, batch, outcome, now))

    def _finish(self, occurrence: int, batch: Batch, outcome: Outcome, started: float, now: float) -> None:
        self._in_flight -= 1
        self._executing.discard(occurrence)
        if outcome.status is RunStatus.SUCCESS:
            self._ledger.record_run(occurrence, started)
        elif batch.failed == len(RETRY_DELAYS):
            self._ledger.record_fate(occurrence, Fate.DEAD_LETTER)
        else:
            ready = ceil(now + RETRY_DELAYS[batch.failed])
            self._collect([occurrence], ready, Batch(batch.entered, failed=batch.failed + 1))

    def _back_off(self, occurrences: list[int], batch: Batch, now: float) -> None:
        """Try events again later, in parts with their own jitter while there are few batches."""
        count = len(occurrences)
        if not count:
            return
        longest = min(FIRST_BACKOFF << batch.throttled, LONGEST_BACKOFF)
        later = batch._replace(throttled=min(batch.throttled + 1, MAX_THROTTLES))
        parts = min(count, MAX_PARTS) if len(self._waiting) < MAX_BATCHES_TO_SPLIT else 1
        for part in range(parts):
            delay = self._random.randint((longest + 1) // 2, longest)
            share = occurrences[count * part // parts : count * (part + 1) // parts]
            self._collect(share, ceil(now + delay), later)
