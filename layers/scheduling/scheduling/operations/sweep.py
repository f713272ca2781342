"""The full sweep: every install and every timer is looked at once a day, and what differs is mended and counted.

It goes on where it stopped, in pages, call by call; two at once do the same work twice and no harm.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from scheduling.domain.errors import Unavailable
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.sweeps import Phase, SweepState
from scheduling.operations.missed import record_missed
from scheduling.operations.ports import Conflict, TimerFailed
from scheduling.operations.repair import (
    mend_names_and_count,
    mend_suspension,
    mend_timer,
    mend_timer_without_row,
)
from scheduling.operations.services import Services

logger = logging.getLogger(__name__)
SECONDS = 8.0
"""Bound of one call, beside the reconciler's own work."""


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
        installs, cursor = services.sweeps.installs(state.cursor)
        for install_id in installs:
            sweep_install(services, install_id, found)
            if time.monotonic() > deadline:
                return replace(state, cursor=services.sweeps.behind(install_id))
        if cursor is None:
            return replace(state, phase=Phase.TIMERS, cursor=None)
        return replace(state, cursor=cursor)
    timers, cursor = services.timers.page(state.cursor)
    for schedule_id in timers:
        sweep_timer(services, schedule_id, found)
    if cursor is None:
        return SweepState(due_at=services.clock() + interval)
    return replace(state, cursor=cursor)


def sweep_install(services: Services, install_id: InstallId, found: Counter[str]) -> None:
    """Compare one install's rows with each other, with their timers, and with their history."""
    _unless_changed(partial(mend_names_and_count, services, install_id, found))
    for schedule in services.schedules.all(install_id):
        _unless_changed(partial(record_missed, services, schedule, found))
        _unless_changed(partial(mend_suspension, services, schedule, found))
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
