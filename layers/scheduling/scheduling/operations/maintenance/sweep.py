"""The full sweep: every install and every timer is looked at once a day, and what differs is mended and counted.

It goes on where it stopped, in pages, call by call; two at once do the same work twice and no harm. What it costs
grows with installs, schedules and the runs since it last looked, not with the history.
"""

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import takewhile
from typing import TypeVar

from scheduling.domain.errors import Conflict, TimerFailed, Unavailable
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.sweeps import Phase, SweepState
from scheduling.operations.maintenance.missed import record_missed
from scheduling.operations.maintenance.repair import (
    mend_names_and_count,
    mend_suspension,
    mend_timer,
    mend_timer_without_row,
)
from scheduling.operations.services import Services

logger = logging.getLogger(__name__)
SECONDS = 50.0
"""Bound of one call, beside the reconciler's own work; what is under way at its end may take some more."""

PAGE = 50
"""Installs that are read at a time; a page that EventBridge throttles is begun anew."""

_T = TypeVar("_T", InstallId, ScheduleId)


def sweep(services: Services, interval: timedelta) -> Counter[str]:
    """Go on with the sweep where one is due; what was mended, by kind.

    Under throttling it stops, and the next call goes on at the same page.
    """
    found: Counter[str] = Counter()
    deadline = time.monotonic() + SECONDS
    try:
        state = _begin(services, interval)
        while state.phase is not None and time.monotonic() < deadline:
            after = _page(services, state, interval, found, deadline)
            services.sweeps.save(state, after)
            state = after
    except (TimerFailed, Unavailable) as failed:
        logger.warning("the sweep pauses: %s", failed)
    except Conflict:
        logger.info("another sweep is at work")
    return found


def _begin(services: Services, interval: timedelta) -> SweepState:
    now = services.clock()
    state = services.sweeps.state()
    if state is None:
        first = SweepState(due_at=now + interval)
        services.sweeps.save(None, first)
        return first
    if state.phase is None and state.due_at <= now:
        started = replace(state, phase=Phase.INSTALLS, cursor=None)
        services.sweeps.save(state, started)
        return started
    return state


def _page(
    services: Services, state: SweepState, interval: timedelta, found: Counter[str], deadline: float
) -> SweepState:
    if state.phase is Phase.INSTALLS:
        installs, cursor = services.sweeps.installs(state.cursor, PAGE)
        looked = _look_at(services, sweep_install, installs, found, deadline)
        if looked < len(installs):
            return replace(state, cursor=installs[looked - 1])
        if cursor is None:
            return replace(state, phase=Phase.TIMERS, cursor=None)
        return replace(state, cursor=cursor)
    timers, cursor = services.timers.page(state.cursor)
    _look_at(services, sweep_timer, timers, found)
    if cursor is None:
        return SweepState(due_at=services.clock() + interval)
    return replace(state, cursor=cursor)


def _look_at(
    services: Services,
    step: Callable[[Services, _T, Counter[str]], None],
    those: Sequence[_T],
    found: Counter[str],
    deadline: float = math.inf,
) -> int:
    """How many have been looked at, some at once: the first at least, and none is begun after the deadline."""

    def look(each: _T) -> Counter[str] | None:
        if each != those[0] and time.monotonic() > deadline:
            return None
        mended: Counter[str] = Counter()
        step(services, each, mended)
        return mended

    looked = 0
    with ThreadPoolExecutor(services.at_once) as pool:
        for mended in takewhile(lambda result: result is not None, pool.map(look, those)):
            found.update(mended)
            looked += 1
    return looked


def sweep_install(services: Services, install_id: InstallId, found: Counter[str]) -> None:
    """Compare one install's rows with each other, with their timers, and with their history."""
    partition = services.sweeps.partition(install_id)
    _unless_changed(partial(mend_names_and_count, services, install_id, partition, found))
    for schedule in partition.schedules:
        _unless_changed(partial(record_missed, services, schedule, found))
        _unless_changed(partial(mend_suspension, services, partition.install, schedule, found))
        _unless_changed(partial(mend_timer, services, schedule, found))


def sweep_timer(services: Services, schedule_id: ScheduleId, found: Counter[str]) -> None:
    """Compare one timer with its row."""
    _unless_changed(partial(mend_timer_without_row, services, schedule_id, found))


def _unless_changed(step: Callable[[], None]) -> None:
    """What changes while it is being mended is looked at by the next sweep."""
    try:
        step()
    except Conflict:
        logger.info("changed meanwhile; left to the next sweep")
