"""JSON fields of installs, schedules, timers and runs: those of the API, and what only operators see."""

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
    """A schedule with the latest change of its install applied, its status and its next fires."""

    install: Install
    schedule: Schedule
    status: FiringStatus
    next_fires: tuple[datetime, ...]

    @classmethod
    def create_view(cls, install: Install, schedule: Schedule, now: datetime, count: int) -> "ScheduleView":
        """Return the view with up to `count` fires after `now`; a schedule that does not fire has none."""
        status = evaluate_firing_status(install, schedule)
        upcoming_fires = list_next_fires(schedule.definition, now, count) if status.fires else []
        return cls(install, schedule.with_install_applied(install), status, tuple(upcoming_fires))


def schedule_fields(view: ScheduleView) -> dict[str, object]:
    """Return the schedule's API fields, its status and its state in the table."""
    schedule = view.schedule
    return {
        **_api_schedule_fields(schedule),
        "installId": schedule.install_id,
        "disabledReason": schedule.disabled_reason,
        "suspended": schedule.suspended,
        "fires": view.status.fires,
        "blockers": list(view.status.blockers),
        "nextFires": [fire_time_fields(moment, schedule.definition.timezone) for moment in view.next_fires],
        "revision": schedule.revision,
        "timerRevision": schedule.timer_revision,
        "timerSince": format_instant(schedule.timer_since),
        "pendingSince": format_instant(schedule.pending_since),
        "changedBy": schedule.changed_by,
    }


def _api_schedule_fields(schedule: Schedule) -> dict[str, object]:
    definition, last_run = schedule.definition, schedule.last_run
    return {
        "id": schedule.id,
        "endpointPath": definition.endpoint_path,
        "endpointMethod": definition.endpoint_method,
        "name": definition.name,
        "cron": definition.cron,
        "timezone": definition.timezone,
        "enabled": definition.enabled,
        "payload": exact_json.loads(definition.payload) if definition.payload else None,
        "lastRunAt": format_instant(last_run.started_at) if last_run else None,
        "lastRunStatus": last_run.status if last_run else None,
        "lastError": last_run.error if last_run else None,
        "createdAt": format_instant(schedule.created_at),
    }


def timer_fields(timer: TimerSnapshot | None) -> dict[str, object] | None:
    """Return the timer's state in EventBridge."""
    if timer is None:
        return None
    return {
        "expression": timer.expression,
        "timezone": timer.timezone,
        "revision": timer.revision,
        "installId": timer.install_id,
        "matchesStack": timer.matches_stack,
    }


def run_fields(run: Run) -> dict[str, object]:
    """Return the API fields of one run."""
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


def install_fields(install: Install) -> dict[str, object]:
    """Return the install's API fields and its state in the table."""
    return {
        **_api_install_fields(install),
        "deleting": install.deleting,
        "pendingSince": format_instant(install.pending_since),
        "changedBy": install.changed_by,
    }


def _api_install_fields(install: Install) -> dict[str, object]:
    return {
        "installId": install.id,
        "tenantId": install.tenant_id,
        "registryId": install.registry_id,
        "versionId": install.version_id,
        "contentHash": install.content_hash,
        "grantedCapabilities": sorted(install.granted_capabilities),
        "enabled": install.enabled,
        "paused": install.paused,
        "scheduleCount": install.schedule_count,
    }
