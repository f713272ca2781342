"""JSON fields of installs, schedules, timers and runs: those of the API, and what only operators see."""

from dataclasses import dataclass
from datetime import datetime

from scheduling.domain import views
from scheduling.domain.cron.description import describe_rule
from scheduling.domain.cron.occurrences import LocalTime
from scheduling.domain.cron.rule import parse_rule
from scheduling.domain.deliveries.firing import as_read
from scheduling.domain.errors import InvalidCron
from scheduling.domain.install import Install
from scheduling.domain.runs import Run
from scheduling.domain.schedule import Definition, Schedule
from scheduling.domain.sweeps import TimerSnapshot

from scheduling_admin.output.times import list_next_fires
from scheduling_admin.status import FiringStatus, evaluate_firing_status


@dataclass(frozen=True)
class ScheduleView:
    """A schedule with the latest change of its install applied, its status and its next fires."""

    install: Install
    schedule: Schedule
    status: FiringStatus
    next_fires: tuple[LocalTime, ...]

    @classmethod
    def create_view(cls, install: Install, schedule: Schedule, now: datetime, count: int) -> "ScheduleView":
        """Return the view with up to `count` fires after `now`; a schedule that does not fire has none."""
        status = evaluate_firing_status(install, schedule)
        upcoming_fires = list_next_fires(schedule.definition, now, count) if status.fires else []
        return cls(install, as_read(schedule, install, now), status, tuple(upcoming_fires))


def describe_definition(definition: Definition) -> str | None:
    """Return the rule in plain English, or None if it cannot be read."""
    try:
        return describe_rule(parse_rule(definition.cron), definition.timezone)
    except InvalidCron:
        return None


def schedule_fields(view: ScheduleView) -> dict[str, object]:
    """Return the schedule's API fields, its status and its state in the table."""
    schedule = view.schedule
    return {
        **views.schedule_fields(schedule),
        "installId": schedule.install_id,
        "disabledReason": schedule.disabled_reason,
        "description": describe_definition(schedule.definition),
        "suspended": schedule.suspended,
        "fires": view.status.fires,
        "blockers": list(view.status.blockers),
        "nextFires": [views.fire_time_fields(time) for time in view.next_fires],
        "revision": schedule.revision,
        "timerRevision": schedule.timer_revision,
        "timerSince": views.format_timestamp(schedule.timer_since),
        "pendingSince": views.format_timestamp(schedule.pending_since),
        "changedBy": schedule.changed_by,
    }


def timer_fields(timer: TimerSnapshot | None) -> dict[str, object] | None:
    """Return the timer's state in EventBridge."""
    if timer is None:
        return None
    return {
        "expression": timer.expression,
        "timezone": timer.timezone,
        "spreadMinutes": timer.spread_minutes,
        "revision": timer.timer_revision,
        "installId": timer.install_id,
        "matchesStack": timer.matches_stack,
    }


def run_fields(run: Run) -> dict[str, object]:
    """Return the run's API fields and what the runner reported, which extensions do not see."""
    return {
        **views.run_fields(run),
        "detail": run.detail,
        "runnerStatus": run.runner_status,
        "runnerError": run.runner_error,
    }


def install_fields(install: Install) -> dict[str, object]:
    """Return the install's API fields and its state in the table."""
    return {
        **views.install_fields(install),
        "deleting": install.deleting,
        "pendingSince": views.format_timestamp(install.pending_since),
        "changedBy": install.changed_by,
    }
