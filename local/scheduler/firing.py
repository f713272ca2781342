"""Fires what stands in EventBridge Scheduler as the clock passes, or as it is set forward."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice
from threading import Event, Lock
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.clock import iso, until_next_minute
from local.errors import StackError
from local.lambda_.functions import FunctionFailed
from local.scheduler.expression import LAST_YEAR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.clock import LocalClock
    from local.lambda_.asynchronous import AsynchronousInvoker
    from local.scheduler.schedules import Timer, Timers

_logger = logging.getLogger(__name__)

MAX_OCCURRENCES = 10_000
"""How many one move of the clock delivers: some minutes' work."""

_CONCURRENT = 8


@dataclass(frozen=True)
class Fired:
    """One delivered occurrence and what became of it."""

    schedule_id: str
    scheduled_time: datetime
    status: str

    def as_json(self) -> dict[str, str]:
        """As the local routes answer it."""
        return {
            "scheduleId": self.schedule_id,
            "scheduledTime": iso(self.scheduled_time),
            "status": self.status,
        }


@dataclass
class _Standing:
    timer: Timer
    next: datetime | None

    def occurrences(self, end: datetime) -> Iterator[datetime]:
        """Every time at which it fires until then, should it stay as it is."""
        instant = self.next
        while instant and instant <= end:
            yield instant
            instant = self.timer.next_after(instant)


class Firing:
    """Delivers each occurrence once, in order of time."""

    def __init__(
        self,
        clock: LocalClock,
        timers: Timers,
        invoker: AsynchronousInvoker,
        every_minute: Callable[[], object],
        hand_over_changes: Callable[[], object],
    ) -> None:
        self._clock = clock
        self._timers = timers
        self._invoker = invoker
        self._every_minute = every_minute
        self._hand_over_changes = hand_over_changes
        self._turn = Lock()
        self._looked = clock.now()
        self._standing: dict[str, _Standing] = {}
        self._seen: dict[str, Timer] = {}
        self._pool = ThreadPoolExecutor(_CONCURRENT, thread_name_prefix="fire")

    def travel(self, to: datetime) -> list[Fired]:
        """Set the clock forward and deliver every occurrence due on the way, each at its time.

        :raises ValueError: if the instant has passed, or is too far for one move
        """
        with self._turn:
            if to < self._clock.now():
                raise ValueError(f"{iso(to)} has passed: it is {iso(self._clock.now())}")
            return self._travel(to)

    def advance(self, duration: timedelta) -> list[Fired]:
        """The same by a duration, which begins when the moves before it have ended."""
        with self._turn:
            return self._travel(self._clock.now() + duration)

    def fire_due(self) -> list[Fired]:
        """Deliver what has come due on a running clock."""
        with self._turn:
            return self._fire_until(self._clock.now())

    def deliver(self, schedule_id: str, scheduled_time: datetime) -> Fired:
        """Deliver one occurrence, whether it was delivered before or not.

        :raises LookupError: if there is no such timer and never was
        """
        timer = self._timers.get(schedule_id) or self._seen[schedule_id]
        return self._deliver(timer, scheduled_time)

    def run(self, stop: Event) -> None:
        """Fire at every full minute until told to stop."""
        minute = _minute(self._clock.now())
        while not stop.wait(until_next_minute(self._clock.now())):
            if _minute(self._clock.now()) == minute:
                continue
            minute = _minute(self._clock.now())
            try:
                self.fire_due()
                self._every_minute()
            except (StackError, BotoCoreError, ClientError) as error:
                _logger.error("firing at %s failed: %s", iso(minute), error)

    def _travel(self, to: datetime) -> list[Fired]:
        self._look()
        self._require_reachable(to)
        self._hand_over_changes()  # while it is their time
        self._clock.stand_at(self._clock.now())
        try:
            fired = self._fire_until(to)
            self._clock.stand_at(max(to, self._clock.now()))
            self._every_minute()
            self._hand_over_changes()
        finally:
            self._clock.go_on()
        return fired

    def _require_reachable(self, to: datetime) -> None:
        if to.year > LAST_YEAR:
            raise ValueError(f"{iso(to)} is after {LAST_YEAR}, the last year of a cron expression")
        due = merge(*(standing.occurrences(to) for standing in self._standing.values()))
        if beyond := next(islice(due, MAX_OCCURRENCES, None), None):
            text = f"more than {MAX_OCCURRENCES} occurrences are due by {iso(beyond)}"
            raise ValueError(f"{text}; move to an earlier time first")

    def _fire_until(self, end: datetime) -> list[Fired]:
        fired: list[Fired] = []
        # Look again after every instant: what was invoked may have changed the timers.
        while due := self._due(end):
            instant = min(standing.next for standing in due if standing.next)
            batch = [standing for standing in due if standing.next == instant]
            if self._clock.standing:
                self._clock.stand_at(max(instant, self._clock.now()))
            for standing in batch:
                standing.next = standing.timer.next_after(instant)
            timers = [standing.timer for standing in batch]
            fired += self._pool.map(self._deliver, timers, [instant] * len(timers))
        return fired

    def _due(self, end: datetime) -> list[_Standing]:
        self._look()
        return [standing for standing in self._standing.values() if standing.next and standing.next <= end]

    def _look(self) -> None:
        timers = self._timers.look()
        now = self._clock.now()
        standing = {}
        for name, timer in sorted(timers.items()):
            known = self._standing.get(name)
            if not known or known.timer != timer:
                known = _Standing(timer, timer.next_after(self._appeared(timer, now)))
            standing[name] = known
        self._seen.update(timers)
        self._standing, self._looked = standing, now

    def _appeared(self, timer: Timer, now: datetime) -> datetime:
        """When a new or changed timer began to stand, by this clock: AWS stamps it by the real one."""
        if self._clock.standing:
            return now
        age = max(timedelta(), datetime.now(UTC) - timer.modified)
        return max(self._looked, now - age)

    def _deliver(self, timer: Timer, scheduled_time: datetime) -> Fired:
        try:
            answer = self._invoker.invoke(timer.target, json.loads(timer.input_for(scheduled_time)))
        except FunctionFailed:
            return Fired(timer.name, scheduled_time, "error")
        return Fired(timer.name, scheduled_time, str(answer["status"]))


def _minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)
