"""Rows of schedules and their runs to domain and back."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pynamodb.expressions.update import Action

from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.runs import Run, RunStatus, Trigger
from scheduling.domain.schedule import (
    Definition,
    IdempotencyKey,
    IdempotencyRecord,
    LastRun,
    Schedule,
    ScheduleState,
)
from scheduling.store.models import IdempotencyRow, InstallRow, RunRow, ScheduleRow, index_shard

_DEFINITION_FIELDS = ("endpoint_method", "endpoint_path", "cron", "timezone", "enabled", "name")
_IDEMPOTENCY_RECORD_FIELDS = (*_DEFINITION_FIELDS, "created_at", "tenant_id")


def schedule_from_row(row: ScheduleRow) -> Schedule:
    """The schedule that the row holds."""
    values = row.attribute_values
    return Schedule(
        id=ScheduleId(values["sk"].removeprefix("SCHEDULE#")),
        install_id=InstallId(values["pk"].removeprefix("INSTALL#")),
        tenant_id=values.get("tenant_id", ""),
        definition=Definition(
            endpoint_method=values["endpoint_method"],
            endpoint_path=values["endpoint_path"],
            cron=values["cron"],
            timezone=values["timezone"],
            enabled=values["enabled"],
            name=values.get("name"),
            payload=values.get("payload"),
        ),
        created_at=values["created_at"],
        revision=values["revision"],
        timer_revision=values["timer_revision"],
        last_timer_revision=values["last_timer_revision"],
        timer_since=values.get("timer_since"),
        checked_until=values.get("checked_until"),
        pending_since=values.get("pending_since"),
        state=ScheduleState(values["state"]),
        held_name=values.get("held_name"),
        suspended=values.get("suspended", False),
        propagated_generation=values.get("propagated_generation", 0),
        disabled_reason=values.get("disabled_reason"),
        changed_by=values["changed_by"],
        change_token=values["change_token"],
        running_occurrence=values.get("running_occurrence"),
        lease_expires_at=values.get("lease_expires_at"),
        last_run=_last_run_from_row(row),
    )


def _last_run_from_row(row: ScheduleRow) -> LastRun | None:
    if row.last_run_at is None or row.last_run_status is None:
        return None
    return LastRun(started_at=row.last_run_at, status=row.last_run_status, error=row.last_error)


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
        "state": schedule.state.value,
        "held_name": schedule.held_name,
        "suspended": schedule.suspended or None,
        "propagated_generation": schedule.propagated_generation,
        "disabled_reason": schedule.disabled_reason,
        "changed_by": schedule.changed_by,
        "change_token": schedule.change_token,
        **pending_values(schedule.id, schedule.pending_since),
    }


def idempotency_record_values(record: IdempotencyRecord) -> dict[str, Any]:
    """A remembered write: the request's hash, and its schedule but for the payload, which the request repeats."""
    values = schedule_values(record.schedule) | {"created_at": record.schedule.created_at.isoformat()}
    stored_values = {name: values[name] for name in _IDEMPOTENCY_RECORD_FIELDS if values[name] is not None}
    return {"request_hash": record.key.request_hash, "schedule": {"id": record.schedule.id, **stored_values}}


def idempotency_record_from_row(row: IdempotencyRow) -> IdempotencyRecord:
    """The remembered write that the row holds."""
    stored_values = row.schedule
    definition = {name: stored_values.get(name) for name in _DEFINITION_FIELDS}
    return IdempotencyRecord(
        key=IdempotencyKey(row.sk.removeprefix("WRITE#"), row.request_hash),
        schedule=Schedule(
            id=ScheduleId(stored_values["id"]),
            install_id=InstallId(row.pk.removeprefix("INSTALL#")),
            tenant_id=stored_values["tenant_id"],
            definition=Definition(**definition, payload=None),
            created_at=datetime.fromisoformat(stored_values["created_at"]),
        ),
    )


def run_from_row(row: RunRow) -> Run:
    """The run that the row holds."""
    return Run(
        scheduled_time=row.sk.removeprefix("RUN#"),
        trigger=Trigger(row.trigger),
        status=RunStatus(row.status),
        attempt=int(row.attempt),
        lease_token=row.lease_token,
        started_at=row.started_at,
        lease_expires_at=row.lease_expires_at,
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
        "lease_token": run.lease_token,
        "started_at": run.started_at,
        "lease_expires_at": run.lease_expires_at,
        "duration_ms": run.duration_ms,
        "http_status": run.http_status,
        "error": run.error,
        "retryable": run.retryable,
    }


def pending_values(identifier: str, since: datetime | None) -> dict[str, Any]:
    """The two attributes that put a row into the pending index, or take it out."""
    return {"pending_since": since, "pending_shard": index_shard(identifier) if since else None}


def update_actions(model: Any, before: dict[str, Any], after: dict[str, Any]) -> list[Action]:
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


InstallListener = Callable[[Install], None]
"""Is told of each install that is read for an operation."""


def ignore_install(_install: Install) -> None:
    """Nobody wants to know."""


def load_install(row: InstallRow | None, on_install_read: InstallListener) -> Install | None:
    """The install that the row holds, if there is one."""
    if row is None:
        return None
    install = install_from_row(row)
    on_install_read(install)
    return install


def install_from_row(row: InstallRow) -> Install:
    """The install that the row holds."""
    return Install(
        id=InstallId(row.pk.removeprefix("INSTALL#")),
        tenant_id=row.tenant_id,
        registry_id=row.registry_id,
        version_id=row.version_id,
        content_hash=row.content_hash,
        granted_capabilities=frozenset(row.granted_capabilities),
        enabled=row.enabled,
        paused=bool(row.paused),
        propagated_generation=int(row.propagated_generation),
        deleting=row.deleting,
        removed_endpoints=frozenset(row.removed_endpoints or ()),
        changed_by=row.changed_by,
        generation=int(row.generation),
        write_sequence=int(row.write_sequence),
        schedule_count=int(row.schedule_count),
        writes={int(slot): from_millis(at) for slot, at in row.writes.items()},
        pending_since=row.pending_since,
    )


def install_values(install: Install) -> dict[str, Any]:
    """What the platform sets of an install; the count and the window are the extension's writes to change."""
    return {
        "install_shard": index_shard(install.id),
        "tenant_id": install.tenant_id,
        "registry_id": install.registry_id,
        "version_id": install.version_id,
        "content_hash": install.content_hash,
        "granted_capabilities": set(install.granted_capabilities),
        "enabled": install.enabled,
        "paused": install.paused or None,
        "propagated_generation": install.propagated_generation,
        "deleting": install.deleting,
        "removed_endpoints": set(install.removed_endpoints) or None,
        "changed_by": install.changed_by,
        "generation": install.generation,
        **pending_values(install.id, install.pending_since),
    }
