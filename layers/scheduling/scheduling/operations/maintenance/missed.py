"""Record occurrences that were never delivered, and close runs whose function has died."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from scheduling.domain.cron.clock_differences import MAX_CLOCK_DIFFERENCE, find_shifted_times
from scheduling.domain.cron.occurrences import fire_times, fires_at
from scheduling.domain.cron.rule import parse_rule
from scheduling.domain.deliveries.decision import DIED_TEXT
from scheduling.domain.deliveries.waiting import missed_after
from scheduling.domain.errors import Conflict
from scheduling.domain.runs import RunStatus, format_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.services import Services
from scheduling.operations.sync.completion import (
    NOT_DELIVERED_TEXT,
    build_fire,
    complete_overdue,
    find_completion,
    record_missed_run,
)

logger = logging.getLogger(__name__)

TIMER_PROPAGATION_DELAY = timedelta(minutes=1)
"""How long a new timer may take to fire."""

MAX_OCCURRENCES = 2_000
"""Occurrences checked for one schedule in one sweep; a week of the shortest interval."""


def record_missed_runs(services: Services, schedule: Schedule, repairs: Counter[str]) -> None:
    """Record each occurrence since the last check that the history lacks, and close an expired run."""
    _close_expired_run(services, schedule, repairs)
    if schedule.definition.is_one_time:
        if complete_overdue(services, schedule):
            repairs["missed"] += 1
        return
    window = _find_unchecked_period(services, schedule)
    if window is None:
        return
    since, until = window
    definition = schedule.definition
    fires = fire_times(parse_rule(definition.cron), definition.timezone, since, until)
    due_times = list(islice(fires, MAX_OCCURRENCES))
    if len(due_times) == MAX_OCCURRENCES:
        until = due_times[-1]
    if due_times:
        for scheduled_time in _find_missed_times(services, schedule, due_times, since, until):
            _record_missed_run(services, schedule, scheduled_time, repairs)
    services.sweeps.save_checked_until(schedule, until)


def _find_missed_times(
    services: Services, schedule: Schedule, due_times: Sequence[datetime], since: datetime, until: datetime
) -> Iterator[str]:
    """Yield the due times that the history lacks, but not those of what ran at another time.

    EventBridge's clock of a zone may differ from this service's after a change of it at short notice.
    """
    first = max(since - MAX_CLOCK_DIFFERENCE, schedule.timer_since or since)
    last = until + MAX_CLOCK_DIFFERENCE
    recorded = set(services.runs.read_scheduled_times(schedule, format_time(first), format_time(last)))
    is_due = partial(fires_at, parse_rule(schedule.definition.cron), schedule.definition.timezone)
    for moment in due_times:
        if format_time(moment) in recorded:
            continue
        other_times = find_shifted_times(moment, is_due, lambda time: format_time(time) in recorded)
        other_time = next((time for time in other_times if _has_run(services, schedule, time)), None)
        if other_time:
            recorded.remove(format_time(other_time))  # it stands for one occurrence only
            logger.info("%s of schedule %s ran at %s", moment, schedule.id, other_time)
        else:
            yield format_time(moment)


def _has_run(services: Services, schedule: Schedule, moment: datetime) -> bool:
    run = services.runs.read_fire_snapshot(build_fire(schedule, format_time(moment))).run
    return run is not None and run.attempt > 0


def _find_unchecked_period(services: Services, schedule: Schedule) -> tuple[datetime, datetime] | None:
    if not schedule.should_have_timer or schedule.unreadable or schedule.timer_since is None:
        return None
    first_fire = schedule.timer_since + TIMER_PROPAGATION_DELAY
    since = max(first_fire, schedule.checked_until or schedule.timer_since)
    until = services.clock() - missed_after(services.limits)
    return (since, until) if since < until else None


def _record_missed_run(
    services: Services, schedule: Schedule, scheduled_time: str, repairs: Counter[str]
) -> None:
    try:
        record_missed_run(services, schedule, scheduled_time, NOT_DELIVERED_TEXT)
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
    fire = build_fire(schedule, schedule.running_occurrence)
    run = services.runs.read_fire_snapshot(fire).run
    if run is None or not run.is_lease_expired(now):
        return
    failed_run = replace(run, status=RunStatus.ERROR, lease_expires_at=None, error=DIED_TEXT)
    completion = find_completion(services, schedule, fire, failed_run)
    services.runs.finish_run(fire, run, failed_run, completion=completion)
    repairs["expired run"] += 1
