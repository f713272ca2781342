"""Schedules, timers and runs for machines: the API's names, with what only operators see."""

from dataclasses import dataclass
from datetime import datetime

from scheduling.domain import exact_json
from scheduling.domain.install import Install
from scheduling.domain.runs import Run
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import Timer

from scheduling_admin.output.times import fire_fields, instant, next_fires
from scheduling_admin.status import Standing, standing_of


@dataclass(frozen=True)
class Seen:
    """A schedule as it stands since the newest change of its install; `fires` has the next ones, if it fires."""

    install: Install
    schedule: Schedule
    standing: Standing
    fires: tuple[datetime, ...]

    @classmethod
    def of(cls, install: Install, schedule: Schedule, now: datetime, count: int) -> "Seen":
        """With up to `count` fires after `now`."""
        standing = standing_of(install, schedule)
        fires = next_fires(schedule.definition, now, count) if standing.fires else []
        return cls(install, schedule.under(install), standing, tuple(fires))


def schedule_fields(seen: Seen) -> dict[str, object]:
    """A schedule, its payload as it was written."""
    schedule, definition, last = seen.schedule, seen.schedule.definition, seen.schedule.last_run
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
        "fires": seen.standing.fires,
        "against": list(seen.standing.against),
        "nextFires": [fire_fields(moment, definition.timezone) for moment in seen.fires],
        "lastRunAt": instant(last.at) if last else None,
        "lastRunStatus": last.status if last else None,
        "lastError": last.error if last else None,
        "createdAt": instant(schedule.created_at),
        "revision": schedule.revision,
        "timerRevision": schedule.timer_revision,
        "timerSince": instant(schedule.timer_since),
        "pendingSince": instant(schedule.pending_since),
        "changedBy": schedule.changed_by,
        "payload": exact_json.loads(definition.payload) if definition.payload else None,
    }


def timer_fields(timer: Timer | None) -> dict[str, object] | None:
    """What stands in EventBridge."""
    if timer is None:
        return None
    return {
        "expression": timer.expression,
        "timezone": timer.timezone,
        "revision": timer.revision,
        "installId": timer.install_id,
        "asDeployed": timer.as_deployed,
    }


def run_fields(run: Run) -> dict[str, object]:
    """One run of the history."""
    return {
        "scheduledTime": run.scheduled_time,
        "trigger": run.trigger.value,
        "startedAt": instant(run.started_at),
        "durationMs": run.duration_ms,
        "attempt": run.attempt,
        "status": run.status.value,
        "httpStatus": run.http_status,
        "error": run.error,
    }
