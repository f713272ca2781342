"""What changes of rows mean to whoever audits the service: at most one event each (docs/events.md)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from scheduling.domain.actors import HOST_API, SYSTEM
from scheduling.domain.ids import InstallId, ScheduleId
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
    if was and now and _shown(was) != _shown(now):
        return Happened(EventName.SCHEDULE_UPDATED, now.changed_by, now, was, now)
    return None


def _shown(schedule: Schedule) -> object:
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
