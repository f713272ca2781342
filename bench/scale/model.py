"""EventBridge Scheduler, Lambda's asynchronous queue and the runner, second by second, in counts of occurrences.

Deterministic: occurrences of one second are told apart by nothing, so a share of them stands for a chance.
"""

import heapq
import random
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

DURATIONS = ((1, 0.50), (2, 0.30), (5, 0.15), (15, 0.04), (30, 0.01))
"""Seconds that a run takes, with their shares: assumed; 2.75 on average."""

NEW_ENVIRONMENTS_PER_SECOND = 100
"""A second, of one function; AWS says 1,000 in ten seconds."""

REFUSALS_PER_SLOT = 10
"""Times a second that one slot of the function can be told 503 by a runner that is full: assumed."""

FIRST_BACKOFF, LONGEST_BACKOFF = 1, 300
RETRY_DELAYS = (60, 120)
SPLIT_GROUPS, MAX_GROUPS_TO_SPLIT = 4, 300
"""Events that were throttled together part, with a jitter each (assumed), as long as few groups of them wait."""


@dataclass(frozen=True, kw_only=True)
class LoadStack:
    """What there is to carry the load, by AWS's defaults; `concurrency` is the function's own limit.

    `queue` is SQS between timer and executor, which knows no age and keeps the order.
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
    """What became of the occurrences."""

    starts: dict[int, Counter[int]] = field(default_factory=dict)
    """For each nominal second, how many began in which second."""
    dead_lettered: int = 0
    expired: int = 0
    waiting: int = 0
    peak_running: int = 0
    peak_attempts: int = 0
    seconds_full: int = 0


@dataclass(order=True)
class WaitingEvents:
    """Events that are tried at the same second; they have been throttled, and have failed, equally often."""

    ready: int
    order: int
    nominal: int = field(compare=False)
    entered: int = field(compare=False)
    count: int = field(compare=False)
    throttled: int = field(compare=False, default=0)
    failed: int = field(compare=False, default=0)


class Simulation:
    """One stack under one load."""

    def __init__(self, stack: LoadStack, due: Mapping[int, int]) -> None:
        self.outcome = Outcome()
        self._stack = stack
        self._arrivals = _spread_arrivals(due, stack.spread)
        self._timers: deque[list[int]] = deque()
        self._queue: list[WaitingEvents] = []
        self._ends: Counter[int] = Counter()
        self._running = self._environments = self._order = 0
        self._rest = [0.0] * len(DURATIONS)
        self._random = random.Random(1)  # noqa: S311 - the same each time, so that figures can be compared

    def run(self, until: int) -> Outcome:
        """Until all is done, or for that many seconds."""
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
        """EventBridge Scheduler delays what is over its rate, and loses none."""
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
        """The runner is full: Lambda tries again after one and two minutes, then gives the event up."""
        if count and events.failed == len(RETRY_DELAYS):
            self.outcome.dead_lettered += count
        elif count:
            ready = now + RETRY_DELAYS[events.failed]
            self._enqueue(
                WaitingEvents(ready, 0, events.nominal, events.entered, count, 0, events.failed + 1)
            )

    def _back_off(self, events: WaitingEvents, count: int, now: int) -> None:
        """No slot is free: Lambda tries again, each time after twice the time; a queue keeps its order."""
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


def _spread_arrivals(due: Mapping[int, int], seconds: int) -> dict[int, list[tuple[int, int]]]:
    """When what is due arrives: at once, or evenly in the seconds after it."""
    arrivals: dict[int, list[tuple[int, int]]] = {}
    parts = max(1, seconds)
    for nominal, count in due.items():
        for part in range(parts):
            share = count * (part + 1) // parts - count * part // parts
            arrivals.setdefault(nominal + part, []).append((nominal, share))
    return arrivals
