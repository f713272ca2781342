"""Record occurrences that were never delivered, and close runs whose function has died."""

import logging
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from scheduling.domain.cron.grammar import parse_cron
from scheduling.domain.cron.occurrences import fire_times
from scheduling.domain.deliveries.decision import DIED_TEXT
from scheduling.domain.deliveries.waiting import missed_after
from scheduling.domain.errors import Conflict
from scheduling.domain.runs import Fire, Run, RunStatus, format_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.services import Services

logger = logging.getLogger(__name__)

TIMER_PROPAGATION_DELAY = timedelta(minutes=1)
"""How long a new timer may take to fire."""

MAX_OCCURRENCES = 2_000
"""Occurrences checked for one schedule in one sweep; a week of the shortest interval."""


def record_missed_runs(services: Services, schedule: Schedule, repairs: Counter[str]) -> None:
    """Record each occurrence since the last check that the history lacks, and close an expired run."""
    _close_expired_run(services, schedule, repairs)
    window = _find_unchecked_period(services, schedule)
    if window is None:
        return
    since, until = window
    definition = schedule.definition
    occurrences = fire_times(parse_cron(definition.cron), definition.timezone, since, until)
    due_times = list(islice(occurrences, MAX_OCCURRENCES))
    recorded_times: frozenset[str] = frozenset()
    if due_times:
        recorded_times = services.runs.read_scheduled_times(schedule, format_time(since), format_time(until))
    for moment in due_times:
        if format_time(moment) not in recorded_times:
            _record_missed_run(services, schedule, format_time(moment), repairs)
    checked_until = due_times[-1] if len(due_times) == MAX_OCCURRENCES else until
    services.sweeps.save_checked_until(schedule, checked_until)


def _find_unchecked_period(services: Services, schedule: Schedule) -> tuple[datetime, datetime] | None:
    if not schedule.should_have_timer or schedule.timer_since is None:
        return None
    first_fire = schedule.timer_since + TIMER_PROPAGATION_DELAY
    since = max(first_fire, schedule.checked_until or schedule.timer_since)
    until = services.clock() - missed_after(services.limits)
    return (since, until) if since < until else None


def _record_missed_run(
    services: Services, schedule: Schedule, scheduled_time: str, repairs: Counter[str]
) -> None:
    run = Run(
        scheduled_time=scheduled_time,
        status=RunStatus.MISSED,
        attempt=0,
        started_at=services.clock(),
        error="It was not delivered",
    )
    try:
        services.runs.record_run(schedule, run)
    except Conflict:
        return  # it was delivered at this moment
    logger.warning("missed: %s of schedule %s", scheduled_time, schedule.id)
    repairs["missed"] += 1


def _close_expired_run(services: Services, schedule: Schedule, repairs: Counter[str]) -> None:
    """Close the run of a function that has died, once no further attempt can be delivered."""
    now = services.clock()
    if (
        schedule.running_occurrence is None
        or schedule.lease_expires_at is None
        or schedule.lease_expires_at > now - missed_after(services.limits)
    ):
        return
    fire = _build_fire(schedule, schedule.running_occurrence)
    run = services.runs.read_fire_snapshot(fire).run
    if run is None or not run.is_lease_expired(now):
        return
    failed_run = replace(run, status=RunStatus.ERROR, lease_expires_at=None, error=DIED_TEXT)
    services.runs.finish_run(fire, run, failed_run)
    repairs["expired run"] += 1


def _build_fire(schedule: Schedule, scheduled_time: str) -> Fire:
    return Fire(
        install_id=schedule.install_id,
        schedule_id=schedule.id,
        timer_revision=schedule.timer_revision,
        scheduled_time=scheduled_time,
    )
