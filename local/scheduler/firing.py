"""Fires the schedules of EventBridge Scheduler as the clock runs or is advanced."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from local.clock import format_instant, seconds_until_next_minute
from local.errors import StackError
from local.scheduler.expression import LAST_YEAR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.clock import LocalClock
    from local.queue.consumer import QueueConsumer
    from local.scheduler.schedules import LocalTimer, TimerReader
    from local.scheduler.target import SendMessageTarget, SentMessage

    ReadRun = Callable[[str], Any]
    """Returns the run of the occurrence that a message's body names, or None."""

logger = logging.getLogger("local")

MAX_OCCURRENCES = 10_000
"""The limit for one advance of the clock; that many take some minutes."""

_SENDERS = 8


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

    @property
    def due_at(self) -> datetime | None:
        """When the message of the next fire is to be sent."""
        return self.next_fire and self.timer.send_time(self.next_fire)

    def take_fire(self) -> datetime:
        """Return the next fire, which there must be, and go on to the one after it."""
        fire_time = cast("datetime", self.next_fire)
        self.next_fire = self.timer.next_after(fire_time)
        return fire_time

    def occurrences(self, end: datetime) -> Iterator[datetime]:
        """Yield every fire time up to `end`, assuming the timer does not change."""
        instant = self.next_fire
        while instant and instant <= end:
            yield instant
            instant = self.timer.next_after(instant)


@dataclass(frozen=True)
class _Fire:
    schedule_id: str
    scheduled_time: datetime
    message: SentMessage | None


class LocalScheduler:
    """Sends the message of each occurrence once, in chronological order, and moves the clock of the queue.

    While the clock is moved, it stops at each instant at which a timer fires or a message becomes due, until all
    messages that are due are processed. So a move shows waits and retries in order.
    """

    def __init__(
        self,
        clock: LocalClock,
        timers: TimerReader,
        target: SendMessageTarget,
        queue: QueueConsumer,
        read_run: ReadRun,
        invoke_rules: Callable[[], object],
        deliver_stream_records: Callable[[], object],
    ) -> None:
        self._clock = clock
        self._timers = timers
        self._target = target
        self._queue = queue
        self._read_run = read_run
        self._invoke_rules = invoke_rules
        self._deliver_stream_records = deliver_stream_records
        self._lock = Lock()
        self._refreshed_at = clock.now()
        self._timer_states: dict[str, _TimerState] = {}
        self._timer_history: dict[str, LocalTimer] = {}
        self._pool = ThreadPoolExecutor(_SENDERS, thread_name_prefix="fire")
        self.last_error: str | None = None
        """Why the last full minute failed; None if it succeeded."""

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
        """Send the messages of a running clock's due timers, and return the statuses that they have now."""
        with self._lock:
            return self._read_deliveries(self._fire_until(self._clock.now()))

    def deliver_occurrence(self, schedule_id: str, scheduled_time: datetime) -> Delivery:
        """Deliver one occurrence, even if it was delivered before, and wait until the delivery is over.

        Raises:
            LookupError: The timer does not exist and never existed.
        """
        timer = self._timers.read_timer(schedule_id) or self._timer_history[schedule_id]
        earlier_run = self._read_run(timer.render_message(scheduled_time))
        fire = self._fire_timer(timer, scheduled_time)
        if fire.message:
            self._queue.wait_for_message(fire.message.id)
        delivery = self._read_delivery(fire)
        if earlier_run is not None and fire.message and self._read_run(fire.message.body) == earlier_run:
            return replace(delivery, status="duplicate")
        return delivery

    def run(self, stop: Event) -> None:
        """Deliver due occurrences at every full minute until `stop` is set."""
        minute = _truncate_to_minute(self._clock.now())
        while not stop.wait(seconds_until_next_minute(self._clock.now())):
            if _truncate_to_minute(self._clock.now()) == minute:
                continue
            minute = _truncate_to_minute(self._clock.now())
            try:
                with self._lock:
                    self._fire_until(self._clock.now())
                self._invoke_rules()
                self.last_error = None
            except (StackError, BotoCoreError, ClientError) as error:
                self.last_error = f"firing at {format_instant(minute)} failed: {error}"
                logger.error(self.last_error)

    def _advance_clock(self, to: datetime) -> list[Delivery]:
        self._refresh_timers()
        self._require_reachable(to)
        self._deliver_stream_records()  # before the clock moves, for the time of these events is now
        self._clock.freeze_at(self._clock.now())
        try:
            self._queue.drain()
            fires = self._fire_until(to)
            self._clock.freeze_at(max(to, self._clock.now()))
            self._invoke_rules()
            self._deliver_stream_records()
            return self._read_deliveries(fires)
        finally:
            self._clock.resume()

    def _require_reachable(self, to: datetime) -> None:
        if to.year > LAST_YEAR:
            raise ValueError(f"{format_instant(to)} is after {LAST_YEAR}, the last year of a cron expression")
        occurrences = merge(*(state.occurrences(to) for state in self._timer_states.values()))
        if first_over_limit := next(islice(occurrences, MAX_OCCURRENCES, None), None):
            text = f"more than {MAX_OCCURRENCES} occurrences are due by {format_instant(first_over_limit)}"
            raise ValueError(f"{text}; move to an earlier time first")

    def _fire_until(self, end: datetime) -> list[_Fire]:
        fires: list[_Fire] = []
        # Timers are read again after every instant: the invoked functions may have changed them.
        while (instant := self._find_next_instant(end)) is not None:
            if self._clock.is_frozen:
                self._clock.freeze_at(max(instant, self._clock.now()))
            batch = [state for state in self._timer_states.values() if state.due_at == instant]
            timers, fire_times = [state.timer for state in batch], [state.take_fire() for state in batch]
            with self._queue.pause():
                fires += self._pool.map(self._fire_timer, timers, fire_times)
                self._delete_completed(batch)
            if self._clock.is_frozen:
                self._queue.drain()
        return fires

    def _delete_completed(self, batch: list[_TimerState]) -> None:
        """Delete the timers that have fired for the last time, where they say so, as EventBridge does."""
        for state in batch:
            if state.timer.deletes_itself and state.next_fire is None:
                self._timers.delete_timer(state.timer)

    def _find_next_instant(self, end: datetime) -> datetime | None:
        """Return when the next timer fires or, for a clock that is moved, the next message is due; None after `end`."""
        self._refresh_timers()
        instants = [state.due_at for state in self._timer_states.values()]
        if self._clock.is_frozen:
            instants.append(self._queue.next_due_at())
        return min((instant for instant in instants if instant and instant <= end), default=None)

    def _refresh_timers(self) -> None:
        timers = self._timers.read_timers()
        now = self._clock.now()
        states = {}
        for name, timer in sorted(timers.items()):
            state = self._timer_states.get(name)
            if state and state.timer.has_same_times(timer):
                states[name] = _TimerState(timer, state.next_fire)
            else:
                states[name] = _TimerState(timer, timer.next_after(self._find_effective_time(timer, now)))
        self._timer_history.update(timers)
        self._timer_states, self._refreshed_at = states, now

    def _find_effective_time(self, timer: LocalTimer, now: datetime) -> datetime:
        """Return when a new or changed timer took effect, by this clock; AWS uses real time."""
        if self._clock.is_frozen:
            return now
        age = max(timedelta(), datetime.now(UTC) - timer.modified_at)
        return max(self._refreshed_at, now - age)

    def _fire_timer(self, timer: LocalTimer, scheduled_time: datetime) -> _Fire:
        return _Fire(timer.name, scheduled_time, self._target.send_message(timer, scheduled_time))

    def _read_deliveries(self, fires: list[_Fire]) -> list[Delivery]:
        return list(self._pool.map(self._read_delivery, fires))

    def _read_delivery(self, fire: _Fire) -> Delivery:
        return Delivery(fire.schedule_id, fire.scheduled_time, self._read_status(fire.message))

    def _read_status(self, message: SentMessage | None) -> str:
        """Return the status that the history has; without one, the function has failed, or knows no such schedule."""
        if message is None:
            return "error"
        if run := self._read_run(message.body):
            return str(run.status)
        return "error" if self._queue.has_failed(message.id) else "unknown"


def _truncate_to_minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)
