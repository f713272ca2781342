"""JSON fields of installs, schedules, timers and runs: those of the API, and what only operators see."""

from scheduling.domain import views
from scheduling.domain.cron.description import describe_rule
from scheduling.domain.cron.rule import parse_rule
from scheduling.domain.errors import InvalidCron
from scheduling.domain.install import Install
from scheduling.domain.runs import Run
from scheduling.domain.schedule import Definition
from scheduling.domain.sweeps import SweepState, TimerSnapshot

from scheduling_admin.queries.views import InstallView, ScheduleView


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
        "extensionName": view.install.extension_name,
        "extensionVersion": view.install.extension_version,
        "disabledReason": schedule.disabled_reason,
        "description": describe_definition(schedule.definition),
        "suspended": schedule.suspended,
        "fires": view.status.fires,
        "blockers": list(view.status.blockers),
        "failing": view.failing,
        "waiting": view.waiting,
        "unhealthySince": views.format_timestamp(schedule.unhealthy_since),
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


def install_view_fields(view: InstallView) -> dict[str, object]:
    """Return the install's fields, and what its schedules say."""
    return {
        **install_fields(view.install),
        "fires": view.fires,
        "reasons": list(view.reasons),
        "firingCount": view.firing_count,
        "failingCount": view.failing_count,
        "lastRunAt": views.format_timestamp(view.last_run_at),
        "consecutiveFailures": view.consecutive_failures,
        "nextFireAt": view.next_fire_at,
    }


def sweep_fields(sweep: SweepState | None) -> dict[str, object]:
    """Return the JSON member of the last sweep, and what it has repaired, if there was one."""
    if sweep is None:
        return {}
    fields = {"startedAt": views.format_timestamp(sweep.started_at), "repairs": dict(sweep.repairs)}
    return {"lastSweep": {**fields, "phase": sweep.phase}}
