"""The events that the audit publishes: what happened in a form of its own, held to docs/events.schema.json.

What is not named here is not told: no payload, configuration or secret can get into an event.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from scheduling.domain.actors import HOST_API
from scheduling.domain.audit import Change, EventName, Happened, Occurrence, Subject, what_happened
from scheduling.domain.install import Install
from scheduling.domain.runs import Run
from scheduling.domain.schedule import Schedule

SOURCE = "extension-scheduler"
VERSION = "1"
"""Of the events' form: another one where a member goes, or where what it means changes."""

Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """An event as it is published; `detail` is JSON. `sequence` is that of the change that it tells of."""

    name: EventName
    sequence: str
    time: datetime
    detail: Fields


def event_of(change: Change) -> AuditEvent | None:
    """The event that tells of the change, or None where there is nothing to tell."""
    happened = what_happened(change.before, change.after)
    if happened is None:
        return None
    stamp = {
        "version": VERSION,
        "id": change.id,
        "sequence": change.sequence,
        "time": _instant(change.time),
    }
    detail = {**stamp, **_detail(happened)}
    return AuditEvent(name=happened.name, sequence=change.sequence, time=change.time, detail=detail)


def _detail(happened: Happened) -> Fields:
    about, before, after = happened.about, happened.before, happened.after
    install_id = about.id if isinstance(about, Install) else about.install_id
    detail: dict[str, object] = {"tenantId": about.tenant_id, "installId": install_id}
    if not isinstance(about, Install):
        detail["scheduleId"] = about.id if isinstance(about, Schedule) else about.schedule_id
    detail["actor"] = _actor(happened.by, install_id)
    detail["before"] = _shown(before) if before else None
    detail["after"] = _shown(after) if after else None
    if isinstance(before, Schedule) and isinstance(after, Schedule):
        detail["payloadChanged"] = before.definition.payload != after.definition.payload
    if happened.name is EventName.INSTALL_MOVED and isinstance(after, Install):
        detail["dropped"] = sorted(after.dropped)
    return detail


def _actor(by: str, install_id: str) -> Fields:
    kind, _, principal = by.partition(":")
    return {"kind": kind, "principal": install_id if kind == HOST_API else principal or None}


def _shown(subject: Subject) -> Fields:
    match subject:
        case Schedule():
            return _schedule(subject)
        case Install():
            return _install(subject)
        case Occurrence(run=run):
            return _run(run)


def _schedule(schedule: Schedule) -> Fields:
    definition = schedule.definition
    return {
        "endpointMethod": definition.endpoint_method,
        "endpointPath": definition.endpoint_path,
        "name": definition.name,
        "cron": definition.cron,
        "timezone": definition.timezone,
        "enabled": definition.enabled,
        "disabledReason": schedule.disabled_reason,
        "revision": schedule.revision,
    }


def _install(install: Install) -> Fields:
    return {
        "registryId": install.registry_id,
        "versionId": install.version_id,
        "contentHash": install.content_hash,
        "grantedCapabilities": sorted(install.granted),
        "enabled": install.enabled,
        "paused": install.paused,
    }


def _run(run: Run) -> Fields:
    return {
        "scheduledTime": run.scheduled_time,
        "trigger": run.trigger.value,
        "status": run.status.value,
        "attempt": run.attempt,
        "startedAt": _instant(run.started_at),
        "durationMs": run.duration_ms,
        "httpStatus": run.http_status,
        "error": run.error,
    }


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
