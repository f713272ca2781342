"""The full sweep: check every install and every timer once a day, repair the differences and count them.

Each call continues where the last one stopped. It reads the ids and cuts them into parts, which other invocations
check, several at once; the position is saved after each part, in order. Two concurrent sweeps do the same work twice,
without harm. The cost grows with the installs, the schedules and the runs since the last sweep, not with the history.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import timedelta

from scheduling.domain.errors import Conflict, PartFailed, TimerFailed, Unavailable, UnreadableItem
from scheduling.domain.sweeps import PartResult, SweepPart, SweepPhase, SweepState
from scheduling.operations.maintenance.parts import check_part
from scheduling.operations.maintenance.repair import report_unreadable
from scheduling.operations.services import Services

logger = logging.getLogger(__name__)
TIME_BUDGET = 50.0
"""Seconds in which one call begins parts, in addition to the reconciler's own work."""

MAX_PARALLEL_PARTS = 32
"""Parts that are checked at once; fewer under throttling."""

INSTALLS_OF_PART = 25
TIMER_PAGES_OF_PART = 10
"""The size of a part, which is some seconds of work: a page has up to 100 timers."""

_THROTTLED_SECONDS = 1.0

RunPart = Callable[[SweepPart], PartResult]
"""Checks a part in an invocation of its own.

Raises Unavailable if that cannot start, and PartFailed if it does not end.
"""


def sweep(services: Services, interval: timedelta, run_part: RunPart | None = None) -> Counter[str]:
    """Continue the sweep, or start one if it is time, and return the repairs by kind.

    Without `run_part`, or where an invocation cannot start, the parts are checked by this one. A part that fails is
    divided until the item that cannot be checked is found, reported and counted as `unreadable`.
    """
    repairs: Counter[str] = Counter()
    deadline = services.monotonic() + TIME_BUDGET
    try:
        state = _load_or_start_sweep(services, interval, repairs)
        while state.phase is not None and services.monotonic() < deadline:
            phase = _PhaseRun(services, run_part, interval, state, repairs, deadline)
            phase.run()
            state = phase.state
            if state.phase is None:
                logger.info(
                    "the sweep that started at %s has ended: %s", state.started_at, dict(state.repairs)
                )
    except (TimerFailed, Unavailable) as error:
        logger.warning("the sweep pauses: %s", error)
    except Conflict:
        logger.info("another sweep is running")
    return repairs


def _load_or_start_sweep(services: Services, interval: timedelta, repairs: Counter[str]) -> SweepState:
    now = services.clock()
    state = services.sweeps.read_sweep_state()
    if state is None:
        initial_state = SweepState(next_sweep_at=now + interval)
        services.sweeps.save_sweep_state(None, initial_state)
        return initial_state
    if state.unreadable:
        report_unreadable(services, UnreadableItem("sweep", "state", state.unreadable), repairs)
    if state.phase is None and state.next_sweep_at <= now:
        started_state = SweepState(
            next_sweep_at=state.next_sweep_at, phase=SweepPhase.INSTALLS, started_at=now
        )
        services.sweeps.save_sweep_state(state, started_state)
        return started_state
    return state


@dataclass(frozen=True, slots=True)
class _PlannedPart:
    """A part, and the position of the sweep after it; None where no position is within its page."""

    part: SweepPart
    after: SweepState | None


_StartedPart = tuple[_PlannedPart, Future[PartResult | None]]


class _PhaseRun:
    """The parts of one phase that one call gets through.

    Attributes:
        state: The position saved last; it is in another phase once this one has ended.
    """

    def __init__(
        self,
        services: Services,
        run_part: RunPart | None,
        interval: timedelta,
        state: SweepState,
        repairs: Counter[str],
        deadline: float,
    ) -> None:
        self.state = state
        self._services = services
        self._run_part = run_part
        self._interval = interval
        self._repairs = repairs
        self._unsaved_repairs: Counter[str] = Counter()
        self._deadline = deadline
        self._width = self._max_width = MAX_PARALLEL_PARTS if run_part else 1

    def run(self) -> None:
        """Check parts until the phase or the time ends; those under way are waited for, and their repairs counted."""
        planned_parts = self._plan_parts()
        started: deque[_StartedPart] = deque()
        with ThreadPoolExecutor(MAX_PARALLEL_PARTS) as pool:
            try:
                while self._start_parts(pool, planned_parts, started):
                    planned, future = started.popleft()
                    rest = self._finish_part(planned, future.result())
                    if rest and not self._has_time():
                        break
                    started.extendleft((each, self._start_part(pool, each)) for each in reversed(rest))
            finally:
                for _, future in started:
                    self._count(future.result())
        if self._unsaved_repairs:
            self._save_position(self.state)

    def _has_time(self) -> bool:
        return self._services.monotonic() < self._deadline

    def _start_parts(
        self, pool: ThreadPoolExecutor, planned_parts: Iterator[_PlannedPart], started: deque[_StartedPart]
    ) -> bool:
        """Start as many parts as may be under way, and return whether any is."""
        while len(started) < self._width and self._has_time():
            planned = next(planned_parts, None)
            if planned is None:
                break
            started.append((planned, self._start_part(pool, planned)))
        return bool(started)

    def _start_part(self, pool: ThreadPoolExecutor, planned: _PlannedPart) -> Future[PartResult | None]:
        return pool.submit(copy_context().run, self._check_part, planned.part)

    def _check_part(self, part: SweepPart) -> PartResult | None:
        """Return the result of the part; None if its invocation failed."""
        if not part.ids:
            return PartResult(checked=0, repairs={})
        if self._run_part:
            try:
                return self._run_part(part)
            except Unavailable as error:
                logger.warning("a part of the sweep is checked by its caller: %s", error)
                self._width = self._max_width = 1
            except PartFailed as error:
                logger.error("a part of the sweep failed: %s", error)
                return None
        return check_part(self._services, part, self._deadline - self._services.monotonic())

    def _finish_part(self, planned: _PlannedPart, result: PartResult | None) -> Sequence[_PlannedPart]:
        """Count the result and save the position after it; return what remains to be checked of the part."""
        part = planned.part
        if result is None:
            if len(part.ids) > 1 and self._has_time():
                return self._divide_part(planned, len(part.ids) // 2)
            self._report_failed_part(part)
            result = PartResult(checked=len(part.ids), repairs={})
        self._count(result)
        if result.throttled:
            self._slow_down()
        if result.checked < len(part.ids):
            checked, rest = self._divide_part(planned, result.checked)
            self._save_position(checked.after)
            return [rest]
        self._save_position(planned.after)
        self._width = min(self._width + 1, self._max_width)
        return []

    def _divide_part(self, planned: _PlannedPart, count: int) -> tuple[_PlannedPart, _PlannedPart]:
        """Return the first so many items of the part, and the others."""
        phase, ids = planned.part.phase, planned.part.ids
        has_position = phase is SweepPhase.INSTALLS and count > 0  # each install's id is a cursor
        after = replace(self.state, phase=phase, cursor=ids[count - 1]) if has_position else None
        first = _PlannedPart(SweepPart(phase=phase, ids=ids[:count]), after)
        return first, _PlannedPart(SweepPart(phase=phase, ids=ids[count:]), planned.after)

    def _report_failed_part(self, part: SweepPart) -> None:
        others = f" and {len(part.ids) - 1} more" if len(part.ids) > 1 else ""
        item = UnreadableItem(part.phase.removesuffix("s"), part.ids[0] + others, "its check failed")
        report_unreadable(self._services, item, self._repairs)
        self._unsaved_repairs["unreadable"] += 1

    def _count(self, result: PartResult | None) -> None:
        if result:
            self._repairs.update(result.repairs)
            self._unsaved_repairs.update(result.repairs)

    def _slow_down(self) -> None:
        """Let half as many parts be under way; if that is one already, wait a moment."""
        if self._width == 1:
            self._services.sleep(_THROTTLED_SECONDS)
        self._width = max(1, self._width // 2)

    def _save_position(self, after: SweepState | None) -> None:
        """Save the position, and what the sweep has repaired so far."""
        if after is None:
            return
        repairs = Counter(self.state.repairs) + self._unsaved_repairs
        after = replace(after, started_at=self.state.started_at, repairs=repairs)
        self._services.sweeps.save_sweep_state(self.state, after)
        self.state = after
        self._unsaved_repairs.clear()

    def _plan_parts(self) -> Iterator[_PlannedPart]:
        """Read the ids of the phase and cut them into parts."""
        phase, state = self.state.phase, self.state
        while phase is not None and state.phase is phase:
            if phase is SweepPhase.INSTALLS:
                ids, state = self._read_installs(state)
            else:
                ids, state = self._list_timers(state)
            yield _PlannedPart(SweepPart(phase=phase, ids=ids), state)

    def _read_installs(self, state: SweepState) -> tuple[Sequence[str], SweepState]:
        ids, cursor = self._services.sweeps.read_install_ids(state.cursor, INSTALLS_OF_PART)
        if cursor is None:
            return ids, replace(state, phase=SweepPhase.TIMERS, cursor=None)
        return ids, replace(state, cursor=cursor)

    def _list_timers(self, state: SweepState) -> tuple[Sequence[str], SweepState]:
        ids: list[str] = []
        cursor = state.cursor
        for _ in range(TIMER_PAGES_OF_PART):
            try:
                page, cursor = self._services.timers.list_timers(cursor)
            except TimerFailed as error:
                if cursor is None or not error.refused:
                    raise
                logger.warning("the timers are listed from the first one again: %s", error)
                return ids, replace(state, cursor=None)
            ids += page
            if cursor is None:
                return ids, SweepState(next_sweep_at=self._services.clock() + self._interval)
        return ids, replace(state, cursor=cursor)
