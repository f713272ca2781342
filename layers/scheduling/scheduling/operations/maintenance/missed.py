"""What should have fired and did not, and what began and never ended, shown in the history."""

import logging
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import islice

from scheduling.domain.cron.grammar import parse_cron
from scheduling.domain.cron.occurrences import fires
from scheduling.domain.errors import Conflict
from scheduling.domain.runs import Fire, Run, RunStatus, time_text
from scheduling.domain.schedule import Schedule
from scheduling.operations.services import Services

logger = logging.getLogger(__name__)

LATE = timedelta(hours=7, minutes=15)
"""How late a delivery may be before it counts as missed; one that comes after all is still run.

EventBridge tries for an hour to hand it over, and Lambda keeps it for six where runs wait for concurrency.
"""

SETTING = timedelta(minutes=1)
"""How long a new timer may take to be in force."""

MOST = 2_000
"""Occurrences looked at for one schedule in one sweep; a week of the shortest interval."""


def record_missed(services: Services, schedule: Schedule, found: Counter[str]) -> None:
    """Record each occurrence since the last look that the history does not have, and close dead runs."""
    _close_dead_run(services, schedule, found)
    if not schedule.due or schedule.timer_since is None:
        return
    since = max(schedule.timer_since + SETTING, schedule.checked_until or schedule.timer_since)
    until = services.clock() - LATE
    if until <= since:
        return
    definition = schedule.definition
    due = list(islice(fires(parse_cron(definition.cron), definition.timezone, since, until), MOST))
    known = services.runs.times(schedule, time_text(since), time_text(until)) if due else frozenset()
    for moment in due:
        if time_text(moment) not in known:
            _record(services, schedule, time_text(moment), found)
    services.sweeps.checked(schedule, due[-1] if len(due) == MOST else until)


def _record(services: Services, schedule: Schedule, scheduled_time: str, found: Counter[str]) -> None:
    run = Run(
        scheduled_time=scheduled_time,
        status=RunStatus.MISSED,
        attempt=0,
        started_at=services.clock(),
        error="It was not delivered",
    )
    try:
        services.runs.record(schedule, run)
    except Conflict:
        return  # it was delivered at this moment
    logger.warning("missed: %s of schedule %s", scheduled_time, schedule.id)
    found["missed"] += 1


def _close_dead_run(services: Services, schedule: Schedule, found: Counter[str]) -> None:
    """A function that died without another attempt to come, as long after its lease as one might have."""
    now = services.clock()
    if schedule.running_time is None or schedule.running_until is None or schedule.running_until > now - LATE:
        return
    fire = _fire(schedule, schedule.running_time)
    run = services.runs.read(fire).run
    if run is None or not run.dead(now):
        return
    ended = replace(run, status=RunStatus.ERROR, lease_until=None, error="The function that ran it died")
    services.runs.finish(fire, run, ended)
    found["dead run"] += 1


def _fire(schedule: Schedule, scheduled_time: str) -> Fire:
    return Fire(
        install_id=schedule.install_id,
        schedule_id=schedule.id,
        revision=schedule.timer_revision,
        scheduled_time=scheduled_time,
    )
