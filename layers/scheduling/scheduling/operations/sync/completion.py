"""What occurrences change in their schedule: they complete a one-time one, or pause one that fails too often."""

import logging
from datetime import datetime

from scheduling.domain.deliveries.completion import ScheduleChange, complete, complete_by_run, one_time_moment
from scheduling.domain.deliveries.delivery import HAND_OVER_WINDOW
from scheduling.domain.deliveries.failures import pause_by_run
from scheduling.domain.deliveries.spread import find_spread
from scheduling.domain.deliveries.waiting import missed_after
from scheduling.domain.runs import Fire, Run, RunStatus, format_time
from scheduling.domain.schedule import Schedule, ScheduleState
from scheduling.operations.services import Services

logger = logging.getLogger(__name__)

NOT_DELIVERED_TEXT = "It was not delivered"
PAUSED_TEXT = "Its install was disabled, or its tenant paused, at its time"


def find_schedule_change(
    services: Services, schedule: Schedule | None, fire: Fire, run: Run
) -> ScheduleChange | None:
    """Return the change of the schedule that the end of the run brings, if it brings one."""
    if schedule is None:
        return None
    now = services.clock()
    if completion := complete_by_run(schedule, fire, run, now, services.limits.history):
        return completion
    paused_schedule = pause_by_run(schedule, fire, run, services.limits, now)
    return ScheduleChange(schedule, paused_schedule) if paused_schedule else None


def build_fire(schedule: Schedule, scheduled_time: str) -> Fire:
    """Return the occurrence of the schedule at that time."""
    return Fire(
        install_id=schedule.install_id,
        schedule_id=schedule.id,
        timer_revision=schedule.timer_revision,
        scheduled_time=scheduled_time,
    )


def record_missed_run(services: Services, schedule: Schedule, scheduled_time: str, reason: str) -> Schedule:
    """Record an occurrence as missed, and complete a one-time schedule by it; return the schedule.

    Raises:
        Conflict: The history has the occurrence, or the schedule has changed.
    """
    run = Run(
        scheduled_time=scheduled_time,
        status=RunStatus.MISSED,
        attempt=0,
        started_at=services.clock(),
        error=reason,
    )
    change = find_schedule_change(services, schedule, build_fire(schedule, scheduled_time), run)
    services.runs.record_run(schedule, run, change)
    return change.after if change else schedule


def record_paused_run(services: Services, schedule: Schedule, now: datetime) -> Schedule:
    """Record the occurrence of a one-time schedule as missed if its time has passed while it was suspended.

    Raises:
        Conflict: The schedule has changed, or its occurrence has been delivered meanwhile.
    """
    moment = one_time_moment(schedule)
    if moment is None or moment > now or not (schedule.suspended and schedule.definition.enabled):
        return schedule
    scheduled_time = format_time(moment)
    if services.runs.read_run(build_fire(schedule, scheduled_time)):
        return schedule
    return record_missed_run(services, schedule, scheduled_time, PAUSED_TEXT)


def complete_overdue(services: Services, schedule: Schedule) -> bool:
    """Complete a one-time schedule whose occurrence can no longer be delivered, and return whether it was missed.

    Its history has no run then, or one whose message was lost.

    Raises:
        Conflict: The schedule has changed, or its occurrence has been delivered meanwhile.
    """
    moment, now = one_time_moment(schedule), services.clock()
    if moment is None or not schedule.definition.enabled or schedule.state is not ScheduleState.ACTIVE:
        return False
    delivered_until = HAND_OVER_WINDOW if schedule.suspended else missed_after(services.limits)
    if moment + find_spread(schedule, services.limits) + delivered_until > now:
        return False
    scheduled_time = format_time(moment)
    run = services.runs.read_run(build_fire(schedule, scheduled_time))
    if run is None:
        reason = PAUSED_TEXT if schedule.suspended else NOT_DELIVERED_TEXT
        record_missed_run(services, schedule, scheduled_time, reason)
        logger.warning("missed: %s of schedule %s", scheduled_time, schedule.id)
        return True
    if run.is_final or _find_last_activity(run) + missed_after(services.limits) <= now:
        completion = complete(schedule, now, services.limits.history)
        services.schedules.replace_schedule(completion.before, completion.after)
    return False


def _find_last_activity(run: Run) -> datetime:
    """Return when the run was last started, leased or to be continued."""
    return max(run.started_at, run.lease_expires_at or run.started_at, run.not_before or run.started_at)
