"""Schedules, timers and runs for machines: the API's names, with what only operators see."""

from dataclasses import dataclass
from datetime import datetime

from scheduling.domain import exact_json
from scheduling.domain.install import Install
from scheduling.domain.runs import Run
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import TimerSnapshot

from scheduling_admin.output.times import fire_time_fields, format_instant, list_next_fires
from scheduling_admin.status import FiringStatus, evaluate_firing_status


@dataclass(frozen=True)
class ScheduleView:
    """A schedule as it stands since the newest change of its install; `fires` has the next ones, if it fires."""

    install: Install
    schedule: Schedule
    status: FiringStatus
    next_fires: tuple[datetime, ...]

    @classmethod
    def create_view(cls, install: Install, schedule: Schedule, now: datetime, count: int) -> "ScheduleView":
        """With up to `count` fires after `now`."""
        status = evaluate_firing_status(install, schedule)
        upcoming_fires = list_next_fires(schedule.definition, now, count) if status.fires else []
        return cls(install, schedule.with_install_applied(install), status, tuple(upcoming_fires))


def schedule_fields(view: ScheduleView) -> dict[str, object]:
    """A schedule, its payload as it was written."""
    schedule, definition, last_run = view.schedule, view.schedule.definition, view.schedule.last_run
    return {
        "id": schedule.id,
        "installId": schedule.install_id,
        "name": definition.name,
        "endpointMethod": definition.endpoint_method,
        "endpointPath": definition.endpoint_path,
        "cron": definition.cron,
        "timezone": definition.timezone,
        "enabled": definition.enabled,
        "disabledReason": schedule.disabled_reason,
        "suspended": schedule.suspended,
        "fires": view.status.fires,
        "blockers": list(view.status.blockers),
        "nextFires": [fire_time_fields(moment, definition.timezone) for moment in view.next_fires],
        "lastRunAt": format_instant(last_run.started_at) if last_run else None,
        "lastRunStatus": last_run.status if last_run else None,
        "lastError": last_run.error if last_run else None,
        "createdAt": format_instant(schedule.created_at),
        "revision": schedule.revision,
        "timerRevision": schedule.timer_revision,
        "timerSince": format_instant(schedule.timer_since),
        "pendingSince": format_instant(schedule.pending_since),
        "changedBy": schedule.changed_by,
        "payload": exact_json.loads(definition.payload) if definition.payload else None,
    }


def timer_fields(timer: TimerSnapshot | None) -> dict[str, object] | None:
    """What stands in EventBridge."""
    if timer is None:
        return None
    return {
        "expression": timer.expression,
        "timezone": timer.timezone,
        "revision": timer.revision,
        "installId": timer.install_id,
        "asDeployed": timer.matches_stack,
    }


def run_fields(run: Run) -> dict[str, object]:
    """One run of the history."""
    return {
        "scheduledTime": run.scheduled_time,
        "trigger": run.trigger.value,
        "startedAt": format_instant(run.started_at),
        "durationMs": run.duration_ms,
        "attempt": run.attempt,
        "status": run.status.value,
        "httpStatus": run.http_status,
        "error": run.error,
    }
