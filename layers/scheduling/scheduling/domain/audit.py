"""What changes of rows mean to whoever audits the service: at most one event each (docs/events.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from scheduling.domain.ids import HOST_API, SYSTEM, InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.runs import Run, RunStatus
from scheduling.domain.schedule import Life, Schedule


class EventName(StrEnum):
    """What happened."""

    SCHEDULE_CREATED = "ScheduleCreated"
    SCHEDULE_UPDATED = "ScheduleUpdated"
    SCHEDULE_DELETED = "ScheduleDeleted"
    RUN_FAILED = "RunFailed"
    RUN_MISSED = "RunMissed"
    INSTALL_REGISTERED = "InstallRegistered"
    INSTALL_CHANGED = "InstallChanged"
    INSTALL_MOVED = "InstallMoved"
    INSTALL_DELETED = "InstallDeleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A run with the schedule that it is of."""

    tenant_id: str
    install_id: InstallId
    schedule_id: ScheduleId
    run: Run


Subject = Install | Schedule | Occurrence
"""What a row is about."""
_S = TypeVar("_S", Install, Schedule, Occurrence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one row, None being no row.

    `id` is the same however often the change is told of. `sequence` is a number in digits, which of two changes of
    one row is larger for the later.
    """

    id: str
    sequence: str
    time: datetime
    before: Subject | None
    after: Subject | None


@dataclass(frozen=True, slots=True)
class Happened:
    """What a change was, by whom and about what; `before` and `after` are None where there was nothing to tell of."""

    name: EventName
    by: str
    about: Subject
    before: Subject | None = None
    after: Subject | None = None


def what_happened(before: Subject | None, after: Subject | None) -> Happened | None:
    """What the change from the one to the other means, or None where it means nothing to anybody outside."""
    match after or before:
        case Schedule():
            return _of_schedule(_as(Schedule, before), _as(Schedule, after))
        case Install():
            return _of_install(_as(Install, before), _as(Install, after))
        case Occurrence():
            return _of_run(_as(Occurrence, before), _as(Occurrence, after))
    return None


def _as(kind: type[_S], subject: Subject | None) -> _S | None:
    return subject if isinstance(subject, kind) else None


def _of_schedule(before: Schedule | None, after: Schedule | None) -> Happened | None:
    was = before if before and before.life is Life.ACTIVE else None
    now = after if after and after.life is Life.ACTIVE else None
    if now and not was:
        return Happened(EventName.SCHEDULE_CREATED, now.changed_by, now, after=now)
    if was and not now:
        # Whoever else deletes one marks it first; its owner alone removes the row of one without timer at once.
        return Happened(EventName.SCHEDULE_DELETED, after.changed_by if after else HOST_API, was, was)
    if was and now and _owner_view(was) != _owner_view(now):
        return Happened(EventName.SCHEDULE_UPDATED, now.changed_by, now, was, now)
    return None


def _owner_view(schedule: Schedule) -> object:
    """What its owner sees of it and may have wanted; not what becomes of it."""
    return schedule.definition, schedule.disabled_reason


def _of_install(before: Install | None, after: Install | None) -> Happened | None:
    was = before if before and not before.deleting else None
    now = after if after and not after.deleting else None
    if now and not was:
        return Happened(EventName.INSTALL_REGISTERED, now.changed_by, now, after=now)
    if was and not now:
        return Happened(EventName.INSTALL_DELETED, after.changed_by if after else SYSTEM, was, was)
    if was and now and was.generation != now.generation:
        same_version = (was.registry_id, was.version_id) == (now.registry_id, now.version_id)
        name = EventName.INSTALL_CHANGED if same_version else EventName.INSTALL_MOVED
        return Happened(name, now.changed_by, now, was, now)
    return None


def _of_run(before: Occurrence | None, after: Occurrence | None) -> Happened | None:
    was, now = before and _end(before.run), after and _end(after.run)
    return Happened(now, SYSTEM, after, after=after) if after and now and now is not was else None


def _end(run: Run) -> EventName | None:
    if run.status is RunStatus.MISSED:
        return EventName.RUN_MISSED
    return EventName.RUN_FAILED if run.failed_for_good else None


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
    detail["before"] = _entity_fields(before) if before else None
    detail["after"] = _entity_fields(after) if after else None
    if isinstance(before, Schedule) and isinstance(after, Schedule):
        detail["payloadChanged"] = before.definition.payload != after.definition.payload
    if happened.name is EventName.INSTALL_MOVED and isinstance(after, Install):
        detail["dropped"] = sorted(after.dropped)
    return detail


def _actor(by: str, install_id: str) -> Fields:
    kind, _, principal = by.partition(":")
    return {"kind": kind, "principal": install_id if kind == HOST_API else principal or None}


def _entity_fields(subject: Subject) -> Fields:
    match subject:
        case Schedule():
            return _schedule_fields(subject)
        case Install():
            return _install_fields(subject)
        case Occurrence(run=run):
            return _run_fields(run)


def _schedule_fields(schedule: Schedule) -> Fields:
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


def _install_fields(install: Install) -> Fields:
    return {
        "registryId": install.registry_id,
        "versionId": install.version_id,
        "contentHash": install.content_hash,
        "grantedCapabilities": sorted(install.granted),
        "enabled": install.enabled,
        "paused": install.paused,
    }


def _run_fields(run: Run) -> Fields:
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
