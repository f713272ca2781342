"""The events of the audit: a change of a row causes at most one event (docs/events.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from scheduling.domain import views
from scheduling.domain.deliveries.backfill import Backfill
from scheduling.domain.ids import HOST_API, SYSTEM, InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.runs import Run, RunStatus, Trigger
from scheduling.domain.schedule import PAUSED_AFTER_FAILURES, Schedule, ScheduleState

EVENT_SOURCE = "extension-scheduler"
EVENT_VERSION = "1"
"""Version of the events' format; it changes if a member is removed or changes its meaning."""

JsonObject = Mapping[str, object]


class EventName(StrEnum):
    """The kinds of events."""

    SCHEDULE_CREATED = "ScheduleCreated"
    SCHEDULE_UPDATED = "ScheduleUpdated"
    SCHEDULE_PAUSED = "SchedulePaused"
    SCHEDULE_DELETED = "ScheduleDeleted"
    RUN_REQUESTED = "RunRequested"
    BACKFILL_REQUESTED = "BackfillRequested"
    RUN_FAILED = "RunFailed"
    RUN_MISSED = "RunMissed"
    INSTALL_REGISTERED = "InstallRegistered"
    INSTALL_CHANGED = "InstallChanged"
    INSTALL_MOVED = "InstallMoved"
    INSTALL_DELETED = "InstallDeleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRun:
    """A run with the ids of its schedule, install and tenant."""

    tenant_id: str
    install_id: InstallId
    schedule_id: ScheduleId
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """An admin's request to run a schedule now."""

    tenant_id: str
    install_id: InstallId
    schedule_id: ScheduleId
    scheduled_time: str
    requested_by: str


Entity = Install | Schedule | ScheduleRun | RunRequest | Backfill
"""The entity that a row stores."""
_EntityT = TypeVar("_EntityT", Install, Schedule, ScheduleRun)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """A change of one row; `before` or `after` is None if there was or is no row.

    Attributes:
        id: The same for every delivery of the change.
        sequence: A number in digits; of two changes of one row, the later one has the larger number.
    """

    id: str
    sequence: str
    time: datetime
    before: Entity | None
    after: Entity | None


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """The meaning of a change: the event's name, its actor, and the entity before and after, if it existed."""

    name: EventName
    actor: str
    entity: Entity
    before: Entity | None = None
    after: Entity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """An event as it is published; `detail` becomes JSON, `sequence` is that of the change."""

    name: EventName
    sequence: str
    time: datetime
    detail: JsonObject


def event_from_change(change: RowChange) -> AuditEvent | None:
    """Return the event for the change, or None if the change means nothing outside the service."""
    change_event = classify_change(change.before, change.after, change.time)
    if change_event is None:
        return None
    header = {
        "version": EVENT_VERSION,
        "id": change.id,
        "sequence": change.sequence,
        "time": views.format_timestamp(change.time),
    }
    detail = {**header, **_event_detail(change_event)}
    return AuditEvent(name=change_event.name, sequence=change.sequence, time=change.time, detail=detail)


def classify_change(
    before: Entity | None, after: Entity | None, time: datetime | None = None
) -> ChangeEvent | None:
    """Return the meaning of the change, or None if it means nothing outside the service."""
    match after or before:
        case Schedule():
            old = _as_entity(Schedule, before)
            if after is None and old and old.expires_at and time and old.expires_at <= time:
                return None  # DynamoDB has deleted it
            return _classify_schedule_change(old, _as_entity(Schedule, after))
        case Install():
            return _classify_install_change(_as_entity(Install, before), _as_entity(Install, after))
        case ScheduleRun():
            return _classify_run_change(_as_entity(ScheduleRun, before), _as_entity(ScheduleRun, after))
        case RunRequest() | Backfill():
            return _classify_request_change(before, after)
    return None


def _as_entity(kind: type[_EntityT], entity: Entity | None) -> _EntityT | None:
    return entity if isinstance(entity, kind) else None


def _classify_schedule_change(before: Schedule | None, after: Schedule | None) -> ChangeEvent | None:
    old = before if before and before.state is ScheduleState.ACTIVE else None
    new = after if after and after.state is ScheduleState.ACTIVE else None
    if new and not old:
        return ChangeEvent(EventName.SCHEDULE_CREATED, new.changed_by, new, after=new)
    if old and not new:
        # Only the owner's delete of a schedule without timer removes the row at once; all others mark it first.
        return ChangeEvent(EventName.SCHEDULE_DELETED, after.changed_by if after else HOST_API, old, old)
    if old and new and new.disabled_reason == PAUSED_AFTER_FAILURES != old.disabled_reason:
        return ChangeEvent(EventName.SCHEDULE_PAUSED, new.changed_by, new, old, new)
    if old and new and _owner_view(old) != _owner_view(new):
        return ChangeEvent(EventName.SCHEDULE_UPDATED, new.changed_by, new, old, new)
    return None


def _owner_view(schedule: Schedule) -> object:
    """Return what the owner declares and sees, without the state of runs and timers."""
    definition = replace(schedule.definition, payload=schedule.payload_identity)
    return definition, schedule.disabled_reason


def _classify_install_change(before: Install | None, after: Install | None) -> ChangeEvent | None:
    old = before if before and not before.deleting else None
    new = after if after and not after.deleting else None
    if new and not old:
        return ChangeEvent(EventName.INSTALL_REGISTERED, new.changed_by, new, after=new)
    if old and not new:
        return ChangeEvent(EventName.INSTALL_DELETED, after.changed_by if after else SYSTEM, old, old)
    if old and new and old.generation != new.generation:
        same_version = (old.registry_id, old.version_id) == (new.registry_id, new.version_id)
        name = EventName.INSTALL_CHANGED if same_version else EventName.INSTALL_MOVED
        return ChangeEvent(name, new.changed_by, new, old, new)
    return None


def _classify_run_change(before: ScheduleRun | None, after: ScheduleRun | None) -> ChangeEvent | None:
    old_event, new_event = (
        before and _terminal_event_name(before.run),
        after and _terminal_event_name(after.run),
    )
    return (
        ChangeEvent(new_event, SYSTEM, after, after=after)
        if after and new_event and new_event is not old_event
        else None
    )


def _classify_request_change(before: Entity | None, after: Entity | None) -> ChangeEvent | None:
    """Return the event of a request, which writes its row anew; that a backfill was sent, or resumed, is none."""
    if isinstance(after, RunRequest):
        return ChangeEvent(EventName.RUN_REQUESTED, after.requested_by, after, after=after)
    if not isinstance(after, Backfill) or (isinstance(before, Backfill) and before.token == after.token):
        return None
    return ChangeEvent(EventName.BACKFILL_REQUESTED, after.requested_by, after, after=after)


def _terminal_event_name(run: Run) -> EventName | None:
    if run.status is RunStatus.MISSED:
        return EventName.RUN_MISSED
    return EventName.RUN_FAILED if run.failed_permanently else None


def _event_detail(change_event: ChangeEvent) -> JsonObject:
    entity, before, after = change_event.entity, change_event.before, change_event.after
    install_id = entity.id if isinstance(entity, Install) else entity.install_id
    detail: dict[str, object] = {"tenantId": entity.tenant_id, "installId": install_id}
    if not isinstance(entity, Install):
        detail["scheduleId"] = entity.id if isinstance(entity, Schedule) else entity.schedule_id
    detail["actor"] = _actor_fields(change_event.actor, install_id)
    detail["before"] = _entity_fields(before) if before else None
    detail["after"] = _entity_fields(after) if after else None
    if isinstance(before, Schedule) and isinstance(after, Schedule):
        detail["payloadChanged"] = before.payload_identity != after.payload_identity
    if change_event.name is EventName.INSTALL_MOVED and isinstance(after, Install):
        detail["dropped"] = sorted(after.removed_endpoints)
    return detail


def _actor_fields(actor: str, install_id: str) -> JsonObject:
    kind, _, principal = actor.partition(":")
    return {"kind": kind, "principal": install_id if kind == HOST_API else principal or None}


def _entity_fields(entity: Entity) -> JsonObject:
    match entity:
        case Schedule():
            return views.schedule_event_fields(entity)
        case Install():
            return views.install_event_fields(entity)
        case ScheduleRun(run=run):
            return views.run_event_fields(run)
        case RunRequest():
            return {"scheduledTime": entity.scheduled_time, "trigger": Trigger.MANUAL.value}
        case Backfill():
            return views.backfill_event_fields(entity)
