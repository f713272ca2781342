"""The full sweep: check every install and every timer once a day, repair the differences and count them.

Each call continues, page by page, where the last one stopped; two concurrent sweeps do the same work twice, without
harm. The cost grows with the installs, the schedules and the runs since the last sweep, not with the history.
"""

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import takewhile
from typing import TypeVar

from scheduling.domain.errors import Conflict, TimerFailed, Unavailable, UnreadableItem
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import SweepPhase, SweepState
from scheduling.operations.maintenance.missed import record_missed_runs
from scheduling.operations.maintenance.repair import (
    delete_orphaned_timer,
    repair_names_and_count,
    repair_payloads,
    repair_suspension,
    repair_tenant,
    repair_timer,
    report_unreadable,
)
from scheduling.operations.services import Services

logger = logging.getLogger(__name__)
TIME_BUDGET = 50.0
"""Seconds of one call, in addition to the reconciler's own work; a check that has begun may take some more."""

PAGE_SIZE = 50
"""Installs that are read at a time; a page that EventBridge throttles is repeated."""

_IdT = TypeVar("_IdT", InstallId, ScheduleId)


def sweep(services: Services, interval: timedelta) -> Counter[str]:
    """Continue the sweep, or start one if it is time, and return the repairs by kind.

    Under throttling it stops, and the next call continues with the same page. An install, schedule or timer that cannot
    be checked is reported and counted as `unreadable`, and the sweep goes on to the next one.
    """
    repairs: Counter[str] = Counter()
    deadline = time.monotonic() + TIME_BUDGET
    try:
        state = _load_or_start_sweep(services, interval, repairs)
        while state.phase is not None and time.monotonic() < deadline:
            after = _sweep_page(services, state, interval, repairs, deadline)
            services.sweeps.save_sweep_state(state, after)
            state = after
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
        started_state = SweepState(next_sweep_at=state.next_sweep_at, phase=SweepPhase.INSTALLS)
        services.sweeps.save_sweep_state(state, started_state)
        return started_state
    return state


def _sweep_page(
    services: Services, state: SweepState, interval: timedelta, repairs: Counter[str], deadline: float
) -> SweepState:
    if state.phase is SweepPhase.INSTALLS:
        install_ids, cursor = services.sweeps.read_install_ids(state.cursor, PAGE_SIZE)
        checked_count = _check_in_parallel(services, sweep_install, install_ids, repairs, deadline)
        if checked_count < len(install_ids):
            return replace(state, cursor=install_ids[checked_count - 1])
        if cursor is None:
            return replace(state, phase=SweepPhase.TIMERS, cursor=None)
        return replace(state, cursor=cursor)
    try:
        timer_ids, cursor = services.timers.list_timers(state.cursor)
    except TimerFailed as error:
        if state.cursor is None or not error.refused:
            raise
        logger.warning("the timers are listed from the first one again: %s", error)
        return replace(state, cursor=None)
    _check_in_parallel(services, sweep_timer, timer_ids, repairs)
    if cursor is None:
        return SweepState(next_sweep_at=services.clock() + interval)
    return replace(state, cursor=cursor)


def _check_in_parallel(
    services: Services,
    step: Callable[[Services, _IdT, Counter[str]], None],
    ids: Sequence[_IdT],
    repairs: Counter[str],
    deadline: float = math.inf,
) -> int:
    """Check the items, several at a time, and return how many: at least one, and none begins after the deadline."""

    def check(item_id: _IdT) -> Counter[str] | None:
        if item_id != ids[0] and time.monotonic() > deadline:
            return None
        item_repairs: Counter[str] = Counter()
        step(services, item_id, item_repairs)
        return item_repairs

    checked_count = 0
    with ThreadPoolExecutor(services.sweep_parallelism) as pool:
        # Each in a copy of the context: with the keys of the log and the deadline of retries.
        contexts = [copy_context() for _ in ids]
        results = pool.map(lambda context, item_id: context.run(check, item_id), contexts, ids)
        for item_repairs in takewhile(lambda result: result is not None, results):
            repairs.update(item_repairs)
            checked_count += 1
    return checked_count


def sweep_install(services: Services, install_id: InstallId, repairs: Counter[str]) -> None:
    """Compare the rows of one install with each other, with their timers, and with their history."""
    check = _Check(services, repairs, "install", install_id)
    with check.going_on():
        partition = services.sweeps.read_partition(install_id)
        for item in partition.unreadable_items:
            report_unreadable(services, item, repairs)
        with check.going_on():
            repair_names_and_count(services, install_id, partition, repairs)
        with check.going_on():
            repair_payloads(services, install_id, partition, repairs)
        for schedule in partition.schedules:
            _sweep_schedule(services, partition.install, schedule, repairs)


def _sweep_schedule(
    services: Services, install: Install | None, schedule: Schedule, repairs: Counter[str]
) -> None:
    check = _Check(services, repairs, "schedule", f"{schedule.id} of install {schedule.install_id}")
    with check.going_on():
        record_missed_runs(services, schedule, repairs)
    with check.going_on():
        repair_tenant(services, install, schedule, repairs)
    with check.going_on():
        repair_suspension(services, install, schedule, repairs)
    with check.going_on():
        repair_timer(services, schedule, repairs)


def sweep_timer(services: Services, schedule_id: ScheduleId, repairs: Counter[str]) -> None:
    """Compare one timer with its row."""
    with _Check(services, repairs, "timer", schedule_id).going_on():
        delete_orphaned_timer(services, schedule_id, repairs)


@dataclass(frozen=True, slots=True)
class _Check:
    """The check of one item."""

    services: Services
    repairs: Counter[str]
    kind: str
    item_id: str

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Go on after a step that fails for this item alone.

        Raises:
            TimerFailed: EventBridge does not respond.
            Unavailable: DynamoDB does not respond.
        """
        try:
            yield
        except Conflict:
            logger.info("%s %s changed during its repair; left to the next sweep", self.kind, self.item_id)
        except Unavailable:
            raise
        except Exception as error:
            if isinstance(error, TimerFailed) and not error.refused:
                raise
            logger.exception("%s %s cannot be checked", self.kind, self.item_id)
            reason = str(error) if isinstance(error, TimerFailed) else type(error).__name__
            report_unreadable(self.services, UnreadableItem(self.kind, self.item_id, reason), self.repairs)
