"""Fires the schedules of EventBridge Scheduler as the clock runs or is advanced."""

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

from local.clock import format_instant, seconds_until_next_minute
from local.errors import StackError
from local.lambda_.functions import FunctionError
from local.scheduler.expression import LAST_YEAR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.clock import LocalClock
    from local.lambda_.asynchronous import AsynchronousInvoker
    from local.scheduler.schedules import LocalTimer, TimerReader

logger = logging.getLogger("local")

MAX_OCCURRENCES = 10_000
"""The limit for one advance of the clock; that many take some minutes."""

_MAX_CONCURRENCY = 8


@dataclass(frozen=True)
class Delivery:
    """A delivered occurrence with its status."""

    schedule_id: str
    scheduled_time: datetime
    status: str

    def as_json(self) -> dict[str, str]:
        """Return the JSON of the local routes."""
        return {
            "scheduleId": self.schedule_id,
            "scheduledTime": format_instant(self.scheduled_time),
            "status": self.status,
        }


@dataclass
class _TimerState:
    timer: LocalTimer
    next_fire: datetime | None

    def occurrences(self, end: datetime) -> Iterator[datetime]:
        """Yield every fire time up to `end`, assuming the timer does not change."""
        instant = self.next_fire
        while instant and instant <= end:
            yield instant
            instant = self.timer.next_after(instant)


class LocalScheduler:
    """Delivers each occurrence once, in chronological order."""

    def __init__(
        self,
        clock: LocalClock,
        timers: TimerReader,
        invoker: AsynchronousInvoker,
        invoke_rules: Callable[[], object],
        deliver_stream_records: Callable[[], object],
    ) -> None:
        self._clock = clock
        self._timers = timers
        self._invoker = invoker
        self._invoke_rules = invoke_rules
        self._deliver_stream_records = deliver_stream_records
        self._lock = Lock()
        self._refreshed_at = clock.now()
        self._timer_states: dict[str, _TimerState] = {}
        self._timer_history: dict[str, LocalTimer] = {}
        self._pool = ThreadPoolExecutor(_MAX_CONCURRENCY, thread_name_prefix="fire")

    def advance_to(self, to: datetime) -> list[Delivery]:
        """Advance the clock to an instant and deliver every occurrence up to it, each at its time.

        Raises:
            ValueError: The instant has passed, or is too far for one advance.
        """
        with self._lock:
            if to < self._clock.now():
                raise ValueError(
                    f"{format_instant(to)} has passed: it is {format_instant(self._clock.now())}"
                )
            return self._advance_clock(to)

    def advance_by(self, duration: timedelta) -> list[Delivery]:
        """Advance the clock by a duration, which starts when earlier advances have ended; see `advance_to`."""
        with self._lock:
            return self._advance_clock(self._clock.now() + duration)

    def fire_due(self) -> list[Delivery]:
        """Deliver the due occurrences of a running clock."""
        with self._lock:
            return self._fire_until(self._clock.now())

    def deliver_occurrence(self, schedule_id: str, scheduled_time: datetime) -> Delivery:
        """Deliver one occurrence, even if it was delivered before.

        Raises:
            LookupError: The timer does not exist and never existed.
        """
        timer = self._timers.read_timer(schedule_id) or self._timer_history[schedule_id]
        return self._invoke_target(timer, scheduled_time)

    def run(self, stop: Event) -> None:
        """Deliver due occurrences at every full minute until `stop` is set."""
        minute = _truncate_to_minute(self._clock.now())
        while not stop.wait(seconds_until_next_minute(self._clock.now())):
            if _truncate_to_minute(self._clock.now()) == minute:
                continue
            minute = _truncate_to_minute(self._clock.now())
            try:
                self.fire_due()
                self._invoke_rules()
            except (StackError, BotoCoreError, ClientError) as error:
                logger.error("firing at %s failed: %s", format_instant(minute), error)

    def _advance_clock(self, to: datetime) -> list[Delivery]:
        self._refresh_timers()
        self._require_reachable(to)
        self._deliver_stream_records()  # before the clock moves, for the time of these events is now
        self._clock.freeze_at(self._clock.now())
        try:
            deliveries = self._fire_until(to)
            self._clock.freeze_at(max(to, self._clock.now()))
            self._invoke_rules()
            self._deliver_stream_records()
        finally:
            self._clock.resume()
        return deliveries

    def _require_reachable(self, to: datetime) -> None:
        if to.year > LAST_YEAR:
            raise ValueError(f"{format_instant(to)} is after {LAST_YEAR}, the last year of a cron expression")
        occurrences = merge(*(state.occurrences(to) for state in self._timer_states.values()))
        if first_over_limit := next(islice(occurrences, MAX_OCCURRENCES, None), None):
            text = f"more than {MAX_OCCURRENCES} occurrences are due by {format_instant(first_over_limit)}"
            raise ValueError(f"{text}; move to an earlier time first")

    def _fire_until(self, end: datetime) -> list[Delivery]:
        deliveries: list[Delivery] = []
        # Timers are read again after every instant: the invoked functions may have changed them.
        while due_states := self._find_due_timers(end):
            instant = min(state.next_fire for state in due_states if state.next_fire)
            batch = [state for state in due_states if state.next_fire == instant]
            if self._clock.is_frozen:
                self._clock.freeze_at(max(instant, self._clock.now()))
            for state in batch:
                state.next_fire = state.timer.next_after(instant)
            timers = [state.timer for state in batch]
            deliveries += self._pool.map(self._invoke_target, timers, [instant] * len(timers))
        return deliveries

    def _find_due_timers(self, end: datetime) -> list[_TimerState]:
        self._refresh_timers()
        return [state for state in self._timer_states.values() if state.next_fire and state.next_fire <= end]

    def _refresh_timers(self) -> None:
        timers = self._timers.read_timers()
        now = self._clock.now()
        states = {}
        for name, timer in sorted(timers.items()):
            state = self._timer_states.get(name)
            if not state or state.timer != timer:
                state = _TimerState(timer, timer.next_after(self._find_effective_time(timer, now)))
            states[name] = state
        self._timer_history.update(timers)
        self._timer_states, self._refreshed_at = states, now

    def _find_effective_time(self, timer: LocalTimer, now: datetime) -> datetime:
        """Return when a new or changed timer took effect, by this clock; AWS uses real time."""
        if self._clock.is_frozen:
            return now
        age = max(timedelta(), datetime.now(UTC) - timer.modified_at)
        return max(self._refreshed_at, now - age)

    def _invoke_target(self, timer: LocalTimer, scheduled_time: datetime) -> Delivery:
        try:
            response = self._invoker.invoke_with_retries(
                timer.target_arn, json.loads(timer.render_input(scheduled_time))
            )
        except FunctionError:
            return Delivery(timer.name, scheduled_time, "error")
        return Delivery(timer.name, scheduled_time, str(response["status"]))


def _truncate_to_minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)
