"""The one place that turns a schedule, a run, an install, a time or a cursor into JSON values or text.

The API, the events and the operator's command line use these functions, each with its own choice of fields. Names are
the contract's, and their order is the order in the JSON. Write the values by `exact_json.dumps`.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NewType

from scheduling.domain.exact_json import RawJson
from scheduling.domain.runs import format_time
from scheduling.domain.schedule import UNKNOWN_TIME

if TYPE_CHECKING:
    from scheduling.domain.cron.occurrences import LocalTime
    from scheduling.domain.deliveries.backfill import Backfill, BackfillPlan, BackfillRequest
    from scheduling.domain.endpoints import Endpoint
    from scheduling.domain.install import Install
    from scheduling.domain.runs import Run
    from scheduling.domain.schedule import Schedule

Fields = dict[str, object]
CursorScope = NewType("CursorScope", str)
MAX_CURSOR_LENGTH = 512
"""Characters; the ids of a scope and of a position are limited, and the longest cursor has about 400."""

_SCHEDULE_EVENT_FIELDS = (
    "endpointMethod",
    "endpointPath",
    "name",
    "cron",
    "timezone",
    "enabled",
    "pauseAfterFailures",
    "spreadMinutes",
    "disabledReason",
    "revision",
)
_INSTALL_EVENT_FIELDS = (
    "registryId",
    "versionId",
    "extensionName",
    "extensionVersion",
    "contentHash",
    "grantedCapabilities",
    "enabled",
    "paused",
)
_RUN_EVENT_FIELDS = (
    "scheduledTime",
    "trigger",
    "status",
    "attempt",
    "startedAt",
    "durationMs",
    "httpStatus",
    "error",
    "requestId",
)


def schedule_fields(schedule: "Schedule") -> Fields:
    """Return a schedule as its owner sees it.

    `pauseAfterFailures` and `spreadMinutes` are present only where they are not the stack's, `notFiringReason` only if
    nothing will fire, `disabledReason` only if the service disabled it, `pending` while EventBridge may not match it,
    and `unreadable` only if its row cannot be used.
    The payload is the text that is stored, and is never parsed.
    """
    definition, last_run = schedule.definition, schedule.last_run
    fields: Fields = {
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
        "lastSuccessAt": format_timestamp(schedule.last_success_at),
        "consecutiveFailures": schedule.consecutive_failures,
        "createdAt": format_creation_time(schedule),
        "nextFireAt": schedule.next_fire,
    }
    if definition.pause_after_failures is not None:
        fields["pauseAfterFailures"] = definition.pause_after_failures
    if definition.spread_minutes is not None:
        fields["spreadMinutes"] = definition.spread_minutes
    if schedule.not_firing_reason:
        fields["notFiringReason"] = schedule.not_firing_reason
    if schedule.disabled_reason:
        fields["disabledReason"] = schedule.disabled_reason
    if schedule.pending:
        fields["pending"] = True
    if schedule.unreadable:
        fields["unreadable"] = schedule.unreadable
    fields["payload"] = RawJson(definition.payload) if definition.payload else None
    return fields


def schedule_event_fields(schedule: "Schedule") -> Fields:
    """Return a schedule as an event shows it, without payload, runs and times."""
    fields = {
        "pauseAfterFailures": None,
        "spreadMinutes": None,
        **schedule_fields(schedule),
        "disabledReason": schedule.disabled_reason,
        "revision": schedule.revision,
    }
    return _select(fields, _SCHEDULE_EVENT_FIELDS)


def run_fields(run: "Run") -> Fields:
    """Return a run of the history."""
    return {
        "scheduledTime": run.scheduled_time,
        "trigger": run.trigger.value,
        "startedAt": format_timestamp(run.started_at),
        "durationMs": run.duration_ms,
        "attempt": run.attempt,
        "status": run.status.value,
        "httpStatus": run.http_status,
        "error": run.error,
        "requestId": run.request_id,
    }


def backfill_fields(schedule_id: str, request: "BackfillRequest", plan: "BackfillPlan") -> Fields:
    """Return what a backfill runs, or would run, and what it leaves out."""
    left_out = [{"scheduledTime": time, "status": status} for time, status in sorted(plan.left_out.items())]
    return {
        "scheduleId": schedule_id,
        "from": format_timestamp(request.first),
        "to": format_timestamp(request.last),
        "which": request.which.value,
        "dryRun": request.dry_run,
        "scheduledTimes": list(plan.scheduled_times),
        "leftOut": left_out,
    }


def backfill_event_fields(backfill: "Backfill") -> Fields:
    """Return a backfill as an event shows it."""
    return {
        "from": format_timestamp(backfill.first),
        "to": format_timestamp(backfill.last),
        "which": backfill.which.value,
        "count": len(backfill.scheduled_times),
    }


def run_event_fields(run: "Run") -> Fields:
    """Return a run as an event shows it."""
    return _select(run_fields(run), _RUN_EVENT_FIELDS)


def install_fields(install: "Install") -> Fields:
    """Return an install as the platform sees it, without its configuration and secrets.

    `unreadable` is present only if its row cannot be used.
    """
    fields: Fields = {
        "installId": install.id,
        "tenantId": install.tenant_id,
        "registryId": install.registry_id,
        "versionId": install.version_id,
        "extensionName": install.extension_name,
        "extensionVersion": install.extension_version,
        "contentHash": install.content_hash,
        "grantedCapabilities": sorted(install.granted_capabilities),
        "enabled": install.enabled,
        "paused": install.paused,
        "scheduleCount": install.schedule_count,
    }
    return {**fields, "unreadable": install.unreadable} if install.unreadable else fields


def install_event_fields(install: "Install") -> Fields:
    """Return an install as an event shows it."""
    return _select(install_fields(install), _INSTALL_EVENT_FIELDS)


def endpoint_fields(endpoint: "Endpoint") -> Fields:
    """Return an endpoint of a version."""
    return {
        "id": endpoint.id,
        "method": endpoint.method,
        "path": endpoint.path,
        "handler": endpoint.handler,
        "schedulable": endpoint.schedulable,
    }


def fire_time_fields(time: "LocalTime") -> Fields:
    """Return the time of a fire on the wall clock and in UTC; `repeated` is present if the clock shows it twice."""
    fields: Fields = {"local": time.wall_time.isoformat(), "utc": format_time(time.utc)}
    return {**fields, "repeated": True} if time.repeated else fields


def skipped_time_fields(time: "LocalTime") -> Fields:
    """Return a local time that does not exist, and why."""
    minutes = time.offset_change // timedelta(minutes=1)
    reason = (
        f"Clocks in {time.wall_time.tzinfo} go forward by {minutes} minutes on that day, "
        f"and there is no {time.wall_time:%H:%M}"
    )
    return {"local": time.wall_time.replace(tzinfo=None).isoformat(), "reason": reason}


def format_timestamp(moment: datetime | None) -> str | None:
    """Format an aware time by ISO 8601 in UTC with milliseconds, such as `2026-11-23T09:00:00.000Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat("T", "milliseconds").replace("+00:00", "Z")


def cursor_scope(kind: str, *ids: str) -> CursorScope:
    """Return what a cursor is bound to: a kind of list, and the ids, without spaces, of what it lists."""
    return CursorScope(" ".join((kind, *ids)))


def format_creation_time(schedule: "Schedule") -> str | None:
    """Format the time at which the schedule was created; None if its row does not have it."""
    return format_timestamp(schedule.created_at) if schedule.created_at != UNKNOWN_TIME else None


def encode_cursor(scope: CursorScope, position: str | None) -> str | None:
    """Encode a position in the list of the scope as an opaque word that needs no escape in a URL."""
    if not position:
        return None
    return base64.urlsafe_b64encode(f"{scope} {position}".encode()).decode().rstrip("=")


def decode_cursor(scope: CursorScope, cursor: str) -> str:
    """Return the position that the cursor stands for.

    Raises:
        ValueError: The word is not one that `encode_cursor` returns for this scope.
    """
    if len(cursor) > MAX_CURSOR_LENGTH:
        raise ValueError("too long")
    text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    position = text.removeprefix(f"{scope} ")
    if position == text or encode_cursor(scope, position) != cursor:
        raise ValueError("of another list")
    return position


def _select(fields: Mapping[str, object], names: tuple[str, ...]) -> Fields:
    return {name: fields[name] for name in names}
