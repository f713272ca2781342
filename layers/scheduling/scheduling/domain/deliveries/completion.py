"""The end of a one-time schedule: its only occurrence is finished for good, or was missed (contract, section 4)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduling.domain.cron.occurrences import resolve_one_time
from scheduling.domain.cron.one_time import parse_one_time
from scheduling.domain.ids import SYSTEM, new_token
from scheduling.domain.runs import Fire, Run, RunStatus, Trigger, format_time
from scheduling.domain.schedule import COMPLETED, Schedule, ScheduleState


@dataclass(frozen=True, slots=True)
class ScheduleChange:
    """What the end of a run changes in its schedule: it completes a one-time one, or pauses one that fails."""

    before: Schedule
    after: Schedule


def one_time_moment(schedule: Schedule) -> datetime | None:
    """Return the time of a schedule that fires once, in UTC; None for any other, and for one that cannot be read."""
    if not schedule.definition.is_one_time or schedule.unreadable:
        return None
    return resolve_one_time(parse_one_time(schedule.definition.cron), schedule.definition.timezone).utc


def has_passed(schedule: Schedule, now: datetime) -> bool:
    """Return whether it is a one-time schedule whose time has passed, so that a timer of it would never fire."""
    moment = one_time_moment(schedule)
    return moment is not None and moment <= now


def complete(schedule: Schedule, now: datetime, history: timedelta) -> ScheduleChange:
    """Return the completion of a one-time schedule, which is kept as long as the history."""
    completed = replace(
        schedule,
        definition=replace(schedule.definition, enabled=False),
        revision=schedule.revision + 1,
        change_token=new_token(),
        changed_by=SYSTEM,
        held_name=None,
        disabled_reason=COMPLETED,
        next_fire=None,
        expires_at=now + history,
    )
    return ScheduleChange(schedule, completed)


def may_run(schedule: Schedule) -> bool:
    """Return whether an occurrence may run: completion bars neither a replay nor a manual run."""
    if schedule.completed:
        return schedule.state is ScheduleState.ACTIVE and not schedule.suspended
    return schedule.should_have_timer


def complete_by_run(
    schedule: Schedule, fire: Fire, run: Run, now: datetime, history: timedelta
) -> ScheduleChange | None:
    """Return the completion of a one-time schedule whose occurrence the run is, if that has ended; else None."""
    if (
        not schedule.definition.is_one_time
        or schedule.completed
        or schedule.state is not ScheduleState.ACTIVE
    ):
        return None
    has_ended = run.is_final or run.status is RunStatus.MISSED
    return complete(schedule, now, history) if has_ended and _is_only_occurrence(schedule, fire) else None


def _is_only_occurrence(schedule: Schedule, fire: Fire) -> bool:
    """Return whether the fire is the schedule's one occurrence, and not one of an earlier rule."""
    moment = one_time_moment(schedule)
    if moment is None or fire.trigger is Trigger.MANUAL:
        return False
    return fire.timer_revision == schedule.timer_revision or fire.scheduled_time == format_time(moment)
