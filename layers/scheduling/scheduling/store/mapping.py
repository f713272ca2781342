"""Conversion between the rows of installs, schedules and runs and their domain objects.

A row that cannot be read becomes an object that says so in `unreadable`, with defaults in place of what is missing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pynamodb.expressions.update import Action

from scheduling.domain.cron.stored import find_rule_problem
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install, InstallConfig
from scheduling.domain.runs import Run
from scheduling.domain.schedule import Definition, LastRun, Schedule
from scheduling.store.keys import DISABLED_INSTALLS, UNGRANTED_INSTALLS, index_shard
from scheduling.store.models import ConfigRow, InstallRow, RunRow, ScheduleRow
from scheduling.store.pynamodb_internals import row_values
from scheduling.store.unreadable import DEFAULTS, LISTED_DEFAULTS, find_row_problem

_EPOCH = datetime.fromtimestamp(0, UTC)


def schedule_from_row(row: ScheduleRow) -> Schedule:
    """Return the schedule of the row."""
    values = row_values(row)
    incomplete = not values.keys() >= LISTED_DEFAULTS.keys()
    unreadable = find_row_problem(row) or find_rule_problem(values["cron"], values["timezone"])
    if unreadable:
        values = {**DEFAULTS[ScheduleRow], **values}
    return Schedule(
        id=ScheduleId(values["sk"].removeprefix("SCHEDULE#")),
        install_id=InstallId(values["pk"].removeprefix("INSTALL#")),
        tenant_id=values.get("tenant_id", ""),
        definition=_definition_from_values(values),
        created_at=values["created_at"],
        revision=values["revision"],
        timer_revision=values["timer_revision"],
        last_timer_revision=values["last_timer_revision"],
        timer_since=values.get("timer_since"),
        checked_until=values.get("checked_until"),
        pending_since=values.get("pending_since"),
        state=values["state"],
        held_name=values.get("held_name"),
        suspended=values.get("suspended", False),
        propagated_generation=values.get("propagated_generation", 0),
        disabled_reason=values.get("disabled_reason"),
        expires_at=values.get("expires_at"),
        next_fire=values.get("next_fire"),
        changed_by=values["changed_by"],
        change_token=values["change_token"],
        payload_digest=None if "payload" in values else values.get("payload_digest"),
        running_occurrence=values.get("running_occurrence"),
        lease_expires_at=values.get("lease_expires_at"),
        last_run=_last_run_from_row(row),
        last_success_at=values.get("last_success_at"),
        consecutive_failures=values.get("consecutive_failures", 0),
        unhealthy_since=values.get("unhealthy_since"),
        waiting=values.get("waiting", False),
        unreadable=unreadable,
        incomplete=incomplete,
    )


def _definition_from_values(values: Mapping[str, Any]) -> Definition:
    return Definition(
        endpoint_method=values["endpoint_method"],
        endpoint_path=values["endpoint_path"],
        cron=values["cron"],
        timezone=values["timezone"],
        enabled=values["enabled"],
        name=values.get("name"),
        pause_after_failures=values.get("pause_after_failures"),
        spread_minutes=values.get("spread_minutes"),
        payload=values.get("payload"),
    )


def _last_run_from_row(row: ScheduleRow) -> LastRun | None:
    if row.last_run_at is None or row.last_run_status is None:
        return None
    return LastRun(started_at=row.last_run_at, status=row.last_run_status, error=row.last_error)


def schedule_values(schedule: Schedule) -> dict[str, Any]:
    """Return the attributes of a schedule that operations set; those of its runs are the executor's."""
    definition = schedule.definition
    return {
        "tenant_id": schedule.tenant_id or None,
        "endpoint_method": definition.endpoint_method,
        "endpoint_path": definition.endpoint_path,
        "cron": definition.cron,
        "timezone": definition.timezone,
        "enabled": definition.enabled,
        "name": definition.name,
        "payload": None if schedule.payload_digest else definition.payload,
        "payload_digest": schedule.payload_digest,
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
        "pause_after_failures": definition.pause_after_failures,
        "spread_minutes": definition.spread_minutes,
        "consecutive_failures": schedule.consecutive_failures or None,
        "expires_at": schedule.expires_at,
        "next_fire": schedule.next_fire,
        "changed_by": schedule.changed_by,
        "change_token": schedule.change_token,
        **pending_values(schedule.id, schedule.pending_since),
    }


def run_from_row(row: RunRow) -> Run:
    """Return the run of the row."""
    unreadable = find_row_problem(row)
    values = {**DEFAULTS[RunRow], **row_values(row)}
    return Run(
        scheduled_time=row.sk.removeprefix("RUN#"),
        trigger=values["trigger"],
        status=values["status"],
        attempt=values["attempt"],
        lease_token=values["lease_token"],
        started_at=values["started_at"],
        lease_expires_at=row.lease_expires_at,
        duration_ms=None if row.duration_ms is None else int(row.duration_ms),
        http_status=None if row.http_status is None else int(row.http_status),
        request_id=row.request_id,
        error=row.error,
        detail=row.detail,
        runner_status=None if row.runner_status is None else int(row.runner_status),
        runner_error=row.runner_error,
        retryable=bool(row.retryable),
        response_count=int(row.response_count or 0),
        wait_token=row.wait_token,
        not_before=row.not_before,
        skip_reason=values.get("skip_reason"),
        unreadable=unreadable,
    )


def run_values(run: Run) -> dict[str, Any]:
    """Return the attributes of a run, without its key."""
    return {
        "trigger": run.trigger.value,
        "status": run.status.value,
        "attempt": run.attempt,
        "lease_token": run.lease_token,
        "started_at": run.started_at,
        "lease_expires_at": run.lease_expires_at,
        "duration_ms": run.duration_ms,
        "http_status": run.http_status,
        "request_id": run.request_id,
        "error": run.error,
        "detail": run.detail,
        "runner_status": run.runner_status,
        "runner_error": run.runner_error,
        "retryable": run.retryable,
        "response_count": run.response_count,
        "wait_token": run.wait_token,
        "not_before": run.not_before,
        "skip_reason": run.skip_reason and run.skip_reason.value,
    }


def pending_values(identifier: str, since: datetime | None) -> dict[str, Any]:
    """Return the two attributes that add a row to the pending index, or remove it."""
    return {"pending_since": since, "pending_shard": index_shard(identifier) if since else None}


def stopped_values(part: str, since: datetime | None) -> dict[str, Any]:
    """Return the two attributes that add a row to a part of the index of what is unhealthy, or remove it."""
    return {"unhealthy_since": since, "unhealthy_shard": part if since else None}


def update_actions(model: Any, before: dict[str, Any], after: dict[str, Any]) -> list[Action]:
    """Return the actions that update a row of `model` from the values `before` to `after`.

    What `before` does not have is written in any case: of a row that could not be read, everything.
    """
    return [
        getattr(model, name).remove() if value is None else getattr(model, name).set(value)
        for name, value in after.items()
        if name not in before or value != before[name]
    ]


def rewrite_schedule_actions(schedule: Schedule) -> list[Action]:
    """Return the actions that make the row of a schedule readable, whatever it holds."""
    last_run = schedule.last_run
    run_values = (
        (ScheduleRow.running_occurrence, schedule.running_occurrence),
        (ScheduleRow.lease_expires_at, schedule.lease_expires_at),
        (ScheduleRow.last_run_at, last_run),
        (ScheduleRow.last_run_status, last_run),
        (ScheduleRow.last_error, last_run and last_run.error),
    )
    return [
        ScheduleRow.type.set(ScheduleRow),
        *update_actions(ScheduleRow, {}, schedule_values(schedule)),
        *(attribute.remove() for attribute, value in run_values if value is None),
    ]


def rewrite_install_actions(install: Install) -> list[Action]:
    """Return the actions that make the row of an install readable, whatever it holds."""
    return [
        InstallRow.type.set(InstallRow),
        *update_actions(InstallRow, {}, install_values(install)),
        InstallRow.write_sequence.set(install.write_sequence),
        InstallRow.schedule_count.set(install.schedule_count),
        InstallRow.writes.set({str(slot): to_millis(at) for slot, at in install.writes.items()}),
    ]


def to_millis(moment: datetime) -> int:
    """Return the whole milliseconds since 1970, exactly."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_millis(millis: int) -> datetime:
    """Return the moment as an aware UTC datetime."""
    return datetime.fromtimestamp(millis / 1000, UTC)


def install_from_row(row: InstallRow) -> Install:
    """Return the install of the row."""
    unreadable = find_row_problem(row)
    values = {**DEFAULTS[InstallRow], **row_values(row)}
    try:
        writes = {int(slot): from_millis(at) for slot, at in values["writes"].items()}
    except (ValueError, TypeError, OverflowError):
        writes, unreadable = {}, unreadable or "writes is malformed"
    return Install(
        id=InstallId(row.pk.removeprefix("INSTALL#")),
        tenant_id=values["tenant_id"],
        registry_id=values["registry_id"],
        version_id=values["version_id"],
        content_hash=values["content_hash"],
        granted_capabilities=frozenset(values["granted_capabilities"]),
        enabled=values["enabled"],
        extension_name=row.extension_name,
        extension_version=row.extension_version,
        paused=bool(row.paused),
        propagated_generation=values["propagated_generation"],
        deleting=values["deleting"],
        removed_endpoints=frozenset(row.removed_endpoints or ()),
        changed_by=values["changed_by"],
        generation=values["generation"],
        write_sequence=values["write_sequence"],
        schedule_count=values["schedule_count"],
        writes=writes,
        disabled_since=row.unhealthy_since if row.unhealthy_shard == DISABLED_INSTALLS else None,
        ungranted_since=row.ungranted_since,
        pending_since=row.pending_since,
        unreadable=unreadable,
    )


def install_values(install: Install) -> dict[str, Any]:
    """Return the attributes of an install that the platform sets: all but the count and the rate limit window."""
    return {
        "install_shard": index_shard(install.id),
        "tenant_id": install.tenant_id,
        "registry_id": install.registry_id,
        "version_id": install.version_id,
        "content_hash": install.content_hash,
        "granted_capabilities": set(install.granted_capabilities),
        "enabled": install.enabled,
        "extension_name": install.extension_name,
        "extension_version": install.extension_version,
        "paused": install.paused or None,
        "propagated_generation": install.propagated_generation,
        "deleting": install.deleting,
        "removed_endpoints": set(install.removed_endpoints) or None,
        "changed_by": install.changed_by,
        "generation": install.generation,
        "ungranted_since": install.ungranted_since,
        **(
            stopped_values(DISABLED_INSTALLS, install.disabled_since)
            if install.disabled_since
            else stopped_values(UNGRANTED_INSTALLS, install.ungranted_since)
        ),
        **pending_values(install.id, install.pending_since),
    }


def config_from_row(row: ConfigRow | None) -> InstallConfig:
    """Return the configuration of an install; an install without a row has an empty one."""
    return InstallConfig(config=row.config, secret_envelope=row.secret_envelope) if row else InstallConfig()
