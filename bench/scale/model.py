"""EventBridge Scheduler, Lambda's asynchronous queue and the runner, second by second, in counts of occurrences.

Deterministic: the occurrences of one second are interchangeable, so a share of them represents a probability.
"""

import heapq
import random
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

DURATIONS = ((1, 0.50), (2, 0.30), (5, 0.15), (15, 0.04), (30, 0.01))
"""Assumed durations of runs in seconds, with their shares; 2.75 on average."""

NEW_ENVIRONMENTS_PER_SECOND = 100
"""New environments of one function per second; AWS documents 1,000 in ten seconds."""

REFUSALS_PER_SLOT = 10
"""Assumed 503 responses per second that one slot of the function receives from a full runner."""

FIRST_BACKOFF, LONGEST_BACKOFF = 1, 300
RETRY_DELAYS = (60, 120)
SPLIT_GROUPS, MAX_GROUPS_TO_SPLIT = 4, 300
"""Events throttled together split into groups, each with its own jitter (assumed), while few groups wait."""


@dataclass(frozen=True, kw_only=True)
class LoadStack:
    """The capacities that carry the load, by default AWS's; `concurrency` is the function's reserved concurrency.

    `queue` puts SQS between timer and executor; it has no maximum event age and keeps the order.
    """

    timer_rate: int = 1_000
    account: int = 1_000
    concurrency: int = 1_000
    runner: int = 500
    event_age: int = 3_600
    spread: int = 0
    queue: bool = False


@dataclass
class Outcome:
    """The outcome of all occurrences."""

    starts: dict[int, Counter[int]] = field(default_factory=dict)
    """For each nominal second, the number of runs by the second of their start."""
    dead_lettered: int = 0
    expired: int = 0
    waiting: int = 0
    peak_running: int = 0
    peak_attempts: int = 0
    seconds_full: int = 0


@dataclass(order=True)
class WaitingEvents:
    """Events with the same next attempt and the same numbers of throttles and failures."""

    ready: int
    order: int
    nominal: int = field(compare=False)
    entered: int = field(compare=False)
    count: int = field(compare=False)
    throttled: int = field(compare=False, default=0)
    failed: int = field(compare=False, default=0)


class Simulation:
    """One stack under one load."""

    def __init__(self, stack: LoadStack, occurrences: Mapping[int, int]) -> None:
        self.outcome = Outcome()
        self._stack = stack
        self._arrivals = _spread_arrivals(occurrences, stack.spread)
        self._timers: deque[list[int]] = deque()
        self._queue: list[WaitingEvents] = []
        self._ends: Counter[int] = Counter()
        self._running = self._environments = self._order = 0
        self._rest = [0.0] * len(DURATIONS)
        self._random = random.Random(1)  # noqa: S311 - the same in each run, so that figures can be compared

    def run(self, until: int) -> Outcome:
        """Simulate until all occurrences are done, or for that many seconds."""
        last = max(self._arrivals)
        for now in range(until):
            self._running -= self._ends.pop(now, 0)
            self._deliver_timers(now)
            self._invoke(now)
            if now > last and not (self._timers or self._queue or self._running):
                break
        self.outcome.waiting = sum(each[1] for each in self._timers) + sum(each.count for each in self._queue)
        return self.outcome

    def _deliver_timers(self, now: int) -> None:
        """Deliver timers; EventBridge Scheduler delays those above its rate and loses none."""
        self._timers.extend([nominal, count] for nominal, count in self._arrivals.pop(now, ()))
        room = self._stack.timer_rate
        while self._timers and room:
            nominal, count = self._timers[0]
            delivered = min(room, count)
            self._enqueue(WaitingEvents(now, 0, nominal, now, delivered))
            room -= delivered
            self._timers[0][1] -= delivered
            if delivered == count:
                self._timers.popleft()

    def _enqueue(self, events: WaitingEvents) -> None:
        self._order += 1
        events.order = self._order
        heapq.heappush(self._queue, events)

    def _invoke(self, now: int) -> None:
        stack, outcome = self._stack, self.outcome
        if self._queue:
            self._environments = min(stack.concurrency, self._environments + NEW_ENVIRONMENTS_PER_SECOND)
        slots = self._environments - self._running
        free = max(0, stack.runner - self._running)
        refusable = room = max(0, slots - free) * REFUSALS_PER_SLOT
        slots = min(slots, free)
        attempts = 0
        while self._queue and self._queue[0].ready <= now:
            if stack.queue and not slots:
                break
            events = heapq.heappop(self._queue)
            if not stack.queue and now - events.entered > stack.event_age:
                outcome.expired += events.count
                continue
            started = min(events.count, slots)
            refused = min(events.count - started, refusable)
            slots, refusable, attempts = slots - started, refusable - refused, attempts + started + refused
            self._start_runs(events, started, now)
            self._retry_or_dead_letter(events, refused, now)
            self._back_off(events, events.count - started - refused, now)
        outcome.peak_attempts = max(outcome.peak_attempts, attempts)
        busy = self._running + (room - refusable) // REFUSALS_PER_SLOT
        outcome.peak_running = max(outcome.peak_running, busy)
        outcome.seconds_full += busy >= stack.account

    def _start_runs(self, events: WaitingEvents, count: int, now: int) -> None:
        if not count:
            return
        self._running += count
        self.outcome.starts.setdefault(events.nominal, Counter())[now] += count
        left = count
        for index, (seconds, share) in enumerate(DURATIONS):
            exact = count * share + self._rest[index]
            running = min(left, int(exact)) if index else 0
            self._rest[index] = exact - running if index else 0.0
            self._ends[now + seconds] += running
            left -= running
        self._ends[now + DURATIONS[0][0]] += left

    def _retry_or_dead_letter(self, events: WaitingEvents, count: int, now: int) -> None:
        """Retry events that a full runner refused, after one and two minutes; then dead-letter them."""
        if count and events.failed == len(RETRY_DELAYS):
            self.outcome.dead_lettered += count
        elif count:
            ready = now + RETRY_DELAYS[events.failed]
            self._enqueue(
                WaitingEvents(ready, 0, events.nominal, events.entered, count, 0, events.failed + 1)
            )

    def _back_off(self, events: WaitingEvents, count: int, now: int) -> None:
        """Delay events without a free slot, with exponential back-off; a queue keeps its order."""
        if not count:
            return
        if self._stack.queue:
            events.count = count
            heapq.heappush(self._queue, events)
            return
        longest = min(FIRST_BACKOFF << min(events.throttled, 9), LONGEST_BACKOFF)
        parts = min(count, SPLIT_GROUPS) if len(self._queue) < MAX_GROUPS_TO_SPLIT else 1
        for part in range(parts):
            ready = now + self._random.randint((longest + 1) // 2, longest)
            share = count * (part + 1) // parts - count * part // parts
            self._enqueue(replace(events, ready=ready, count=share, throttled=events.throttled + 1))


def _spread_arrivals(occurrences: Mapping[int, int], seconds: int) -> dict[int, list[tuple[int, int]]]:
    """Return the arrivals by second: at the nominal second, or spread evenly over the seconds after it."""
    arrivals: dict[int, list[tuple[int, int]]] = {}
    parts = max(1, seconds)
    for nominal, count in occurrences.items():
        for part in range(parts):
            share = count * (part + 1) // parts - count * part // parts
            arrivals.setdefault(nominal + part, []).append((nominal, share))
    return arrivals
