"""Domain to JSON text, in the contract's field names. Payloads are put in as they are, never parsed again."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from scheduling.domain.cron.occurrences import LocalTime
from scheduling.domain.endpoints import Endpoint
from scheduling.domain.install import Install, Version
from scheduling.domain.preview import Preview
from scheduling.domain.runs import Run, format_time
from scheduling.domain.schedule import Schedule


def format_timestamp(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, such as `2026-11-23T09:00:00.000Z`."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


dump_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""JSON without spaces, in UTF-8 rather than escapes."""


def schedule_json(schedule: Schedule) -> str:
    """One schedule; `disabledReason` is there where the platform disabled it."""
    definition, last_run = schedule.definition, schedule.last_run
    fields = {
        "id": schedule.id,
        "endpointPath": definition.endpoint_path,
        "endpointMethod": definition.endpoint_method,
        "name": definition.name,
        "cron": definition.cron,
        "timezone": definition.timezone,
        "enabled": definition.enabled,
        "lastRunAt": format_timestamp(last_run.started_at) if last_run else None,
        "lastRunStatus": last_run.status if last_run else None,
        "lastError": last_run.error if last_run else None,
        "createdAt": format_timestamp(schedule.created_at),
    }
    if schedule.disabled_reason:
        fields["disabledReason"] = schedule.disabled_reason
    return f'{dump_json(fields)[:-1]},"payload":{definition.payload or "null"}}}'


def schedules_json(schedules: Iterable[Schedule]) -> str:
    """A list of schedules."""
    return f"[{','.join(map(schedule_json, schedules))}]"


def tenant_schedules_json(schedules: Iterable[tuple[Install, Schedule]]) -> str:
    """A list of schedules of several installs, each with its install, and whether that lets it fire."""
    items = (
        f'{schedule_json(schedule)[:-1]},"installId":{dump_json(install.id)},'
        f'"installEnabled":{dump_json(install.enabled)},"paused":{dump_json(install.paused)}}}'
        for install, schedule in schedules
    )
    return f"[{','.join(items)}]"


def endpoint_fields(endpoint: Endpoint) -> Mapping[str, object]:
    """One endpoint."""
    return {
        "id": endpoint.id,
        "method": endpoint.method,
        "path": endpoint.path,
        "handler": endpoint.handler,
        "schedulable": endpoint.schedulable,
    }


def run_fields(run: Run) -> Mapping[str, object]:
    """One run of the history."""
    return {
        "scheduledTime": run.scheduled_time,
        "trigger": run.trigger.value,
        "startedAt": format_timestamp(run.started_at),
        "durationMs": run.duration_ms,
        "attempt": run.attempt,
        "status": run.status.value,
        "httpStatus": run.http_status,
        "error": run.error,
    }


def preview_fields(preview: Preview) -> Mapping[str, object]:
    """What a create would come to."""
    return {
        "valid": preview.error is None,
        "error": preview.error,
        "fieldErrors": preview.field_errors,
        "expression": preview.expression,
        "timezone": preview.timezone,
        "endpoint": preview.endpoint,
        "smallestGapMinutes": preview.smallest_gap_minutes,
        "fires": [_fire_fields(time) for time in preview.fire_times],
        "skipped": [_skipped_fields(time) for time in preview.skipped_times],
    }


def _fire_fields(time: LocalTime) -> Mapping[str, object]:
    fields = {"local": time.wall_time.isoformat(), "utc": format_time(time.utc)}
    return {**fields, "repeated": True} if time.repeated else fields


def _skipped_fields(time: LocalTime) -> Mapping[str, object]:
    clock_change = f"Clocks in {time.wall_time.tzinfo} go forward by {time.offset_change // timedelta(minutes=1)} minutes"
    reason = f"{clock_change} on that day, and there is no {time.wall_time:%H:%M}"
    return {"local": time.wall_time.replace(tzinfo=None).isoformat(), "reason": reason}


def install_fields(install: Install, version: Version) -> Mapping[str, object]:
    """One install as the platform sees it; never its configuration or secrets."""
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
        "endpoints": [endpoint_fields(endpoint) for endpoint in version.endpoints],
    }
