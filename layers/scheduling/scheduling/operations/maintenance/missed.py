"""Record occurrences that were never delivered, and end runs whose function has died or whose message is gone."""

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
from scheduling.domain.deliveries.delivery import Delivery
from scheduling.domain.deliveries.spread import find_spread
from scheduling.domain.deliveries.waiting import is_message_lost, missed_after
from scheduling.domain.errors import Conflict
from scheduling.domain.fire_events import FireEvent, message_group
from scheduling.domain.runs import Run, RunStatus, format_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.runs.continuation import give_up
from scheduling.operations.services import Services
from scheduling.operations.sync.completion import (
    NOT_DELIVERED_TEXT,
    build_fire,
    complete_overdue,
    find_schedule_change,
    record_missed_run,
)
from scheduling.store.snapshots import RecordedRuns

logger = logging.getLogger(__name__)

TIMER_PROPAGATION_DELAY = timedelta(minutes=1)
"""How long a new timer may take to fire."""

LOST_TEXT = "The message that it waited for was lost"

MAX_OCCURRENCES = 2_000
"""Occurrences checked for one schedule in one sweep; a week of the shortest interval."""


def record_missed_runs(services: Services, schedule: Schedule, repairs: Counter[str]) -> None:
    """Record each occurrence since the last check that the history lacks, and end runs that nothing continues."""
    closed = _close_expired_run(services, schedule, repairs)
    if schedule.timer_since is None or (closed and schedule.definition.is_one_time):
        return
    until = services.clock() - missed_after(services.limits) - find_spread(schedule, services.limits)
    recorded = _read_recorded_runs(services, schedule, until)
    still_waiting = [run for run in recorded.waiting if not _end_lost_run(services, schedule, run, repairs)]
    if schedule.definition.is_one_time:
        repairs["missed"] += not recorded.waiting and complete_overdue(services, schedule)
        return
    since = max(
        schedule.timer_since + TIMER_PROPAGATION_DELAY, schedule.checked_until or schedule.timer_since
    )
    if not schedule.should_have_timer or schedule.unreadable or since >= until:
        return
    definition = schedule.definition
    fires = fire_times(parse_rule(definition.cron), definition.timezone, since, until)
    due_times = list(islice(fires, MAX_OCCURRENCES))
    if len(due_times) == MAX_OCCURRENCES:
        until = due_times[-1]
    for scheduled_time in _find_missed_times(services, schedule, due_times, recorded.times):
        _record_missed_run(services, schedule, scheduled_time, repairs)
    if still_waiting:  # the next check begins with it
        oldest = min(datetime.fromisoformat(run.scheduled_time) for run in still_waiting)
        until = min(until, oldest - timedelta(seconds=1))
    services.sweeps.save_checked_until(schedule, until)


def _read_recorded_runs(services: Services, schedule: Schedule, until: datetime) -> RecordedRuns:
    """Return what the history has since the last check, and of as much more as clocks may differ.

    After a change of the rule, which begins a new period, runs of the earlier rule may still wait.
    """
    timer_since = schedule.timer_since or until
    last_check = schedule.checked_until or timer_since - 2 * missed_after(services.limits)
    recorded = services.runs.read_recorded_runs(
        schedule,
        format_time(last_check - MAX_CLOCK_DIFFERENCE),
        format_time(until + MAX_CLOCK_DIFFERENCE),
    )
    first_time = format_time(timer_since) + "~"  # of this rule
    return replace(recorded, times=frozenset(time for time in recorded.times if time > first_time))


def _end_lost_run(services: Services, schedule: Schedule, run: Run, repairs: Counter[str]) -> bool:
    """End and dead-letter a run that waits for a message which is gone; return whether it does."""
    now = services.clock()
    if run.unreadable or not is_message_lost(run, services.limits, now):
        return False
    fire = replace(build_fire(schedule, run.scheduled_time), trigger=run.trigger)
    delivery = Delivery(event=FireEvent(fire=fire), accepted_at=now, group=message_group(schedule))
    give_up(services, delivery, schedule, run, LOST_TEXT)
    logger.warning("message lost: %s of schedule %s", run.scheduled_time, schedule.id)
    repairs["lost message"] += 1
    return True


def _find_missed_times(
    services: Services, schedule: Schedule, due_times: Sequence[datetime], recorded_times: frozenset[str]
) -> Iterator[str]:
    """Yield the due times that the history lacks, but not those of what ran at another time.

    EventBridge's clock of a zone may differ from this service's after a change of it at short notice.
    """
    recorded = set(recorded_times)
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
    run = services.runs.read_run(build_fire(schedule, format_time(moment)))
    return run is not None and run.attempt > 0


def _record_missed_run(
    services: Services, schedule: Schedule, scheduled_time: str, repairs: Counter[str]
) -> None:
    try:
        record_missed_run(services, schedule, scheduled_time, NOT_DELIVERED_TEXT)
    except Conflict:
        return  # it was delivered at this moment
    logger.warning("missed: %s of schedule %s", scheduled_time, schedule.id)
    repairs["missed"] += 1


def _close_expired_run(services: Services, schedule: Schedule, repairs: Counter[str]) -> bool:
    """Close the run of a function that has died, once no further attempt can be delivered; return whether it did."""
    now = services.clock()
    if (
        schedule.running_occurrence is None
        or schedule.lease_expires_at is None
        or schedule.lease_expires_at > now - missed_after(services.limits)
    ):
        return False
    fire = build_fire(schedule, schedule.running_occurrence)
    run = services.runs.read_run(fire)
    if run is None or not run.is_lease_expired(now):
        return False
    failed_run = replace(run, status=RunStatus.ERROR, lease_expires_at=None, error=run.error or DIED_TEXT)
    change = find_schedule_change(services, schedule, fire, failed_run)
    services.runs.finish_run(fire, run, failed_run, change=change)
    repairs["expired run"] += 1
    return True
