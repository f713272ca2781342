"""Rows of schedules and their runs to domain and back."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pynamodb.expressions.update import Action

from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.runs import Run, RunStatus, Trigger
from scheduling.domain.schedule import Definition, EarlierWrite, IdempotencyKey, LastRun, Life, Schedule
from scheduling.store.models import InstallRow, RunRow, ScheduleRow, WriteRow, shard_of

_DEFINED = ("endpoint_method", "endpoint_path", "cron", "timezone", "enabled", "name")
_REMEMBERED = (*_DEFINED, "created_at", "tenant_id")


def schedule_of(row: ScheduleRow) -> Schedule:
    """The schedule that the row holds."""
    of = row.attribute_values
    return Schedule(
        id=ScheduleId(of["sk"].removeprefix("SCHEDULE#")),
        install_id=InstallId(of["pk"].removeprefix("INSTALL#")),
        tenant_id=of.get("tenant_id", ""),
        definition=Definition(
            endpoint_method=of["endpoint_method"],
            endpoint_path=of["endpoint_path"],
            cron=of["cron"],
            timezone=of["timezone"],
            enabled=of["enabled"],
            name=of.get("name"),
            payload=of.get("payload"),
        ),
        created_at=of["created_at"],
        revision=of["revision"],
        timer_revision=of["timer_revision"],
        last_timer_revision=of["last_timer_revision"],
        timer_since=of.get("timer_since"),
        checked_until=of.get("checked_until"),
        pending_since=of.get("pending_since"),
        life=Life(of["life"]),
        held_name=of.get("held_name"),
        suspended=of.get("suspended", False),
        followed=of.get("followed", 0),
        disabled_reason=of.get("disabled_reason"),
        changed_by=of["changed_by"],
        change_token=of["change_token"],
        running_time=of.get("running_time"),
        running_until=of.get("running_until"),
        last_run=_last_run_of(row),
    )


def _last_run_of(row: ScheduleRow) -> LastRun | None:
    if row.last_run_at is None or row.last_run_status is None:
        return None
    return LastRun(at=row.last_run_at, status=row.last_run_status, error=row.last_error)


def schedule_values(schedule: Schedule) -> dict[str, Any]:
    """What an operation sets of a schedule; how it runs is the executor's to change."""
    definition = schedule.definition
    return {
        "tenant_id": schedule.tenant_id,
        "endpoint_method": definition.endpoint_method,
        "endpoint_path": definition.endpoint_path,
        "cron": definition.cron,
        "timezone": definition.timezone,
        "enabled": definition.enabled,
        "name": definition.name,
        "payload": definition.payload,
        "created_at": schedule.created_at,
        "revision": schedule.revision,
        "timer_revision": schedule.timer_revision,
        "last_timer_revision": schedule.last_timer_revision,
        "timer_since": schedule.timer_since,
        "checked_until": schedule.checked_until,
        "life": schedule.life.value,
        "held_name": schedule.held_name,
        "suspended": schedule.suspended or None,
        "followed": schedule.followed,
        "disabled_reason": schedule.disabled_reason,
        "changed_by": schedule.changed_by,
        "change_token": schedule.change_token,
        **pending_values(schedule.id, schedule.pending_since),
    }


def remembered_values(write: EarlierWrite) -> dict[str, Any]:
    """A remembered write: the request's hash, and its schedule but for the payload, which the request repeats."""
    kept = schedule_values(write.schedule) | {"created_at": write.schedule.created_at.isoformat()}
    named = {name: kept[name] for name in _REMEMBERED if kept[name] is not None}
    return {"request_hash": write.key.request_hash, "schedule": {"id": write.schedule.id, **named}}


def earlier_write_of(row: WriteRow) -> EarlierWrite:
    """The remembered write that the row holds."""
    kept = row.schedule
    definition = {name: kept.get(name) for name in _DEFINED}
    return EarlierWrite(
        key=IdempotencyKey(row.sk.removeprefix("WRITE#"), row.request_hash),
        schedule=Schedule(
            id=ScheduleId(kept["id"]),
            install_id=InstallId(row.pk.removeprefix("INSTALL#")),
            tenant_id=kept["tenant_id"],
            definition=Definition(**definition, payload=None),
            created_at=datetime.fromisoformat(kept["created_at"]),
        ),
    )


def run_of(row: RunRow) -> Run:
    """The run that the row holds."""
    return Run(
        scheduled_time=row.sk.removeprefix("RUN#"),
        trigger=Trigger(row.trigger),
        status=RunStatus(row.status),
        attempt=int(row.attempt),
        claim_token=row.claim_token,
        started_at=row.started_at,
        lease_until=row.lease_until,
        duration_ms=None if row.duration_ms is None else int(row.duration_ms),
        http_status=None if row.http_status is None else int(row.http_status),
        error=row.error,
        retryable=row.retryable,
    )


def run_values(run: Run) -> dict[str, Any]:
    """All of a run but its key."""
    return {
        "trigger": run.trigger.value,
        "status": run.status.value,
        "attempt": run.attempt,
        "claim_token": run.claim_token,
        "started_at": run.started_at,
        "lease_until": run.lease_until,
        "duration_ms": run.duration_ms,
        "http_status": run.http_status,
        "error": run.error,
        "retryable": run.retryable,
    }


def pending_values(identifier: str, since: datetime | None) -> dict[str, Any]:
    """The two attributes that put a row into the pending index, or take it out."""
    return {"pending_since": since, "pending_shard": shard_of(identifier) if since else None}


def changes(model: Any, before: dict[str, Any], after: dict[str, Any]) -> list[Action]:
    """The update of `model` that leads from the values `before` to those `after`."""
    return [
        getattr(model, name).remove() if value is None else getattr(model, name).set(value)
        for name, value in after.items()
        if value != before[name]
    ]


def to_millis(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def from_millis(millis: int) -> datetime:
    """The aware UTC moment."""
    return datetime.fromtimestamp(millis / 1000, UTC)


Seen = Callable[[Install], None]
"""Is told of each install that is read for an operation."""


def unseen(_install: Install) -> None:
    """Nobody wants to know."""


def seen_install(row: InstallRow | None, seen: Seen) -> Install | None:
    """The install that the row holds, if there is one."""
    if row is None:
        return None
    install = install_of(row)
    seen(install)
    return install


def install_of(row: InstallRow) -> Install:
    """The install that the row holds."""
    return Install(
        id=InstallId(row.pk.removeprefix("INSTALL#")),
        tenant_id=row.tenant_id,
        registry_id=row.registry_id,
        version_id=row.version_id,
        content_hash=row.content_hash,
        granted=frozenset(row.granted),
        enabled=row.enabled,
        paused=bool(row.paused),
        followed=int(row.followed),
        deleting=row.deleting,
        dropped=frozenset(row.dropped or ()),
        changed_by=row.changed_by,
        generation=int(row.generation),
        sequence=int(row.sequence),
        schedule_count=int(row.schedule_count),
        writes={int(slot): from_millis(at) for slot, at in row.writes.items()},
        pending_since=row.pending_since,
    )


def install_values(install: Install) -> dict[str, Any]:
    """What the platform sets of an install; the count and the window are the extension's writes to change."""
    return {
        "install_shard": shard_of(install.id),
        "tenant_id": install.tenant_id,
        "registry_id": install.registry_id,
        "version_id": install.version_id,
        "content_hash": install.content_hash,
        "granted": set(install.granted),
        "enabled": install.enabled,
        "paused": install.paused or None,
        "followed": install.followed,
        "deleting": install.deleting,
        "dropped": set(install.dropped) or None,
        "changed_by": install.changed_by,
        "generation": install.generation,
        **pending_values(install.id, install.pending_since),
    }
