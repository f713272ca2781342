"""Every operation of the service: how to call it, how to see that it was applied, and what must come before it."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from uuid import uuid4

from scheduling.domain.errors import InstallNotFound, ScheduleNotFound
from scheduling.domain.exact_json import Number
from scheduling.domain.ids import MAX_INLINE_PAYLOAD_BYTES, InstallId
from scheduling.domain.requests.idempotency import IdempotencyKey
from scheduling.domain.runs import Fire, Outcome, RunStatus, format_time
from scheduling.domain.schedule import PAUSED_AFTER_FAILURES, Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.runs.execute import RunEndpoint
from scheduling.operations.runs.run_now import run_now
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule, list_runs, list_schedules
from scheduling.operations.schedules.update import update_schedule

from tests.support.faults.broken_rows import set_attribute
from tests.support.stacks.fires import create_fire, execute_fire
from tests.support.stacks.world import (
    ADMIN,
    GROUP,
    PUT_OPTIONS,
    TABLE,
    World,
    aws_client,
    create_input,
    registration_body,
    update_input,
)

REFUSED = Outcome(status=RunStatus.ERROR, http_status=404, error="The extension answered 404")
LARGE_PAYLOAD = ["x" * MAX_INLINE_PAYLOAD_BYTES]


@dataclass
class CrashCase:
    """One install with one schedule; each case has its own extension, so that no version is cached by earlier cases."""

    world: World
    install_id: InstallId
    schedule: Schedule
    fire: Fire


@dataclass(frozen=True)
class CrashOperation:
    """An operation, how to see whether it was applied, and what must come before it."""

    act: Callable[[CrashCase], object]
    is_applied: Callable[[CrashCase], bool]
    prepare: Callable[[CrashCase], object] | None = None


def _read_definition(case: CrashCase) -> tuple[str, bool, str | None, str | None]:
    definition = get_schedule(case.world.services, case.install_id, case.schedule.id).definition
    return definition.cron, definition.enabled, definition.name, definition.payload


def _is_created(case: CrashCase) -> bool:
    return "UNIQUE#created" in {row["sk"] for row in case.world.scan_rows_of_type(case.install_id, "name")}


def _is_deleted(case: CrashCase) -> bool:
    return not any(
        row["sk"].endswith(case.schedule.id)
        for row in case.world.scan_rows_of_type(case.install_id, "schedule")
    )


def _read_install_attribute(case: CrashCase, attribute: str) -> object:
    return case.world.scan_rows_of_type(case.install_id, "install")[0][attribute]


def _create_schedule(**fields: object) -> Callable[[CrashCase], object]:
    return lambda case: create_schedule(
        case.world.services,
        case.install_id,
        create_input(name="created", **fields),
        IdempotencyKey("key", "hash"),
    )


def _update_schedule(**fields: object) -> Callable[[CrashCase], object]:
    def update_case(case: CrashCase) -> object:
        return update_schedule(case.world.services, case.install_id, case.schedule.id, update_input(**fields))

    return update_case


def _delete_schedule(case: CrashCase) -> None:
    with suppress(ScheduleNotFound):  # a retry of a delete that was applied or will be
        delete_schedule(case.world.services, case.install_id, case.schedule.id)


def delete_install_if_exists(case: CrashCase) -> None:
    """Delete the install, or do nothing if it is absent."""
    with suppress(InstallNotFound):
        delete_install(case.world.services, case.install_id, actor=ADMIN)


def _register_install(**fields: object) -> Callable[[CrashCase], object]:
    def register_case(case: CrashCase) -> object:
        own = {"registryId": case.install_id, "tenantId": case.install_id}
        return case.world.register_install(case.install_id, **own, **fields)

    return register_case


def _move_install(case: CrashCase) -> object:
    manifest = registration_body()["manifest"] | {"version": "2.0.0"}
    return _register_install(versionId="version-2", manifest=manifest)(case)


def _manifest_with(*endpoints: tuple[str, str]) -> dict[str, object]:
    declared = [{"method": method, "path": path, "handler": "h"} for method, path in endpoints]
    return {**registration_body()["manifest"], "version": "3.0.0", "api": {"endpoints": declared}}


def move_to_version_without_endpoint(case: CrashCase) -> object:
    """Move to a version without the endpoint that the schedules use, and disable the schedules."""
    options = replace(PUT_OPTIONS, disable_missing=True)
    body = {"registryId": case.install_id, "tenantId": case.install_id, "versionId": "version-3"}
    return case.world.put_install(
        case.install_id, options, **body, manifest=_manifest_with(("GET", "/api/both"))
    )


def _add_schedules(case: CrashCase) -> None:
    create_schedule(case.world.services, case.install_id, create_input(name="another"))
    create_schedule(
        case.world.services, case.install_id, create_input(endpoint="GET /api/both", name="not affected")
    )


def is_fully_moved(case: CrashCase) -> bool:
    """Return whether the install is at that version; fail if its owner sees only some schedules as moved."""
    schedules = list_schedules(case.world.services, case.install_id).schedules
    enabled_flags = {s.definition.enabled for s in schedules if s.definition.endpoint == "POST /api/sync"}
    assert len(enabled_flags) == 1
    moved = _read_install_attribute(case, "versionId") == "version-3"
    assert enabled_flags == {not moved}
    return moved


def _set_install_enabled(*, enabled: bool) -> Callable[[CrashCase], object]:
    return lambda case: set_install_enabled(
        case.world.services, case.install_id, enabled=enabled, actor=ADMIN
    )


def _set_tenant_paused(*, paused: bool) -> Callable[[CrashCase], object]:
    return lambda case: set_tenant_paused(case.world.services, case.install_id, paused=paused, actor=ADMIN)


def _is_tenant_paused(case: CrashCase) -> bool:
    return case.world.services.tenants.read_tenant(case.install_id).paused


def _trigger_run(case: CrashCase) -> object:
    services = case.world.services
    return run_now(services, services.queue.send_fire, case.install_id, case.schedule.id, "key", actor=ADMIN)


def _is_run_started(case: CrashCase) -> bool:
    delivered = [
        event for event in case.world.list_executor_events() if event["scheduleId"] == case.schedule.id
    ]
    assert len({event["scheduledTime"] for event in delivered}) <= 1
    return bool(delivered)


def _execute_fire(case: CrashCase) -> object:
    """Execute the fire as Lambda delivers it: a retry comes a minute later."""
    return _execute_fire_by(case, case.world.runner)


def _execute_failing_fire(case: CrashCase) -> object:
    return _execute_fire_by(case, lambda _execution: REFUSED)


def _execute_fire_by(case: CrashCase, run_endpoint: RunEndpoint) -> object:
    if case.world.clock[0] > case.schedule.created_at + timedelta(hours=1):
        case.world.advance(seconds=61)
    case.world.clock[0] = max(case.world.clock[0], case.schedule.created_at + timedelta(hours=1, seconds=1))
    return execute_fire(case.world.services, run_endpoint, case.fire)


def _is_paused(case: CrashCase) -> bool:
    """Return whether the schedule is paused; fail if the history does not have the failure, or has it without that."""
    schedule = get_schedule(case.world.services, case.install_id, case.schedule.id)
    paused = schedule.disabled_reason == PAUSED_AFTER_FAILURES
    runs = list_runs(case.world.services, case.install_id, case.schedule.id, limit=50).runs
    assert paused == any(run.status == "error" for run in runs) == (schedule.consecutive_failures == 1)
    return paused


def _is_run_succeeded(case: CrashCase) -> bool:
    runs = list_runs(case.world.services, case.install_id, case.schedule.id, limit=50).runs
    return [(run.scheduled_time, run.status) for run in runs] == [(case.fire.scheduled_time, "success")]


def _store_payload_in_row(case: CrashCase) -> None:
    """Store a large payload in the schedule's row, as earlier releases have done."""
    _update_schedule(payload=LARGE_PAYLOAD)(case)
    row_key = f"INSTALL#{case.install_id}", f"SCHEDULE#{case.schedule.id}"
    set_attribute(*row_key, "payload", {"S": _dump_payload(LARGE_PAYLOAD)})
    set_attribute(*row_key, "payloadDigest", None)
    item_key = {"pk": {"S": row_key[0]}, "sk": {"S": f"{row_key[1]}#PAYLOAD"}}
    aws_client("dynamodb").delete_item(TableName=TABLE, Key=item_key)


def _is_payload_moved(case: CrashCase) -> bool:
    """Return whether the run has succeeded; fail unless its row has moved the payload, and nothing lost it."""
    assert _read_definition(case)[3] == _dump_payload(LARGE_PAYLOAD)
    (row,) = case.world.scan_rows_of_type(case.install_id, "schedule")
    succeeded = _is_run_succeeded(case)
    assert not (succeeded and "payload" in row)
    return succeeded


def _dump_payload(payload: object) -> str:
    return json.dumps(payload, separators=(",", ":"))


def _make_one_time(case: CrashCase) -> None:
    """Let the schedule fire once, at the time of the fire; its timer fires and deletes itself."""
    _update_schedule(cron=f"at({case.fire.scheduled_time[:16]})")(case)
    aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=case.schedule.id)


def _is_completed(case: CrashCase) -> bool:
    """Return whether the schedule is completed; fail if the history does not have its end, or has it without that."""
    completed = get_schedule(case.world.services, case.install_id, case.schedule.id).completed
    runs = list_runs(case.world.services, case.install_id, case.schedule.id, limit=50).runs
    assert completed == any(run.status in ("success", "missed") for run in runs)
    return completed


def _pause_over_its_time(case: CrashCase) -> None:
    _update_schedule(cron=f"at({case.fire.scheduled_time[:16]})")(case)
    _set_tenant_paused(paused=True)(case)
    case.world.advance(hours=2)


OPERATIONS = {
    "create": CrashOperation(_create_schedule(), _is_created),
    "update the timer and the name": CrashOperation(
        _update_schedule(cron="5 * * * *", name="after", spreadMinutes=Number("15")),
        lambda case: _read_definition(case)[0] == "5 * * * *",
    ),
    "update the payload": CrashOperation(
        _update_schedule(payload=[1]), lambda case: _read_definition(case)[3] == "[1]"
    ),
    "create with a large payload": CrashOperation(_create_schedule(payload=LARGE_PAYLOAD), _is_created),
    "update the timer and a large payload": CrashOperation(
        _update_schedule(cron="5 * * * *", payload=[*LARGE_PAYLOAD, 2]),
        lambda case: _read_definition(case)[3] == _dump_payload([*LARGE_PAYLOAD, 2]),
        prepare=_update_schedule(payload=LARGE_PAYLOAD),
    ),
    "update the timer and clear a large payload": CrashOperation(
        _update_schedule(cron="5 * * * *", payload=None),
        lambda case: _read_definition(case)[3] is None,
        prepare=_update_schedule(payload=LARGE_PAYLOAD),
    ),
    "delete with a large payload": CrashOperation(
        _delete_schedule, _is_deleted, prepare=_update_schedule(payload=LARGE_PAYLOAD)
    ),
    "disable": CrashOperation(_update_schedule(enabled=False), lambda case: not _read_definition(case)[1]),
    "enable": CrashOperation(
        _update_schedule(enabled=True),
        lambda case: _read_definition(case)[1],
        prepare=_update_schedule(enabled=False),
    ),
    "delete": CrashOperation(_delete_schedule, _is_deleted),
    "move to a version": CrashOperation(
        _move_install, lambda case: _read_install_attribute(case, "versionId") == "version-2"
    ),
    "move to a version without the endpoint": CrashOperation(
        move_to_version_without_endpoint, is_fully_moved, prepare=_add_schedules
    ),
    "disable the install": CrashOperation(
        _set_install_enabled(enabled=False), lambda case: not _read_install_attribute(case, "enabled")
    ),
    "enable the install": CrashOperation(
        _set_install_enabled(enabled=True),
        lambda case: bool(_read_install_attribute(case, "enabled")),
        prepare=_set_install_enabled(enabled=False),
    ),
    "pause the tenant": CrashOperation(_set_tenant_paused(paused=True), _is_tenant_paused),
    "resume the tenant": CrashOperation(
        _set_tenant_paused(paused=False),
        lambda case: not _is_tenant_paused(case),
        prepare=_set_tenant_paused(paused=True),
    ),
    "run now": CrashOperation(_trigger_run, _is_run_started),
    "register the install as disabled": CrashOperation(
        _register_install(enabled=False), lambda case: not _read_install_attribute(case, "enabled")
    ),
    "register the install as enabled": CrashOperation(
        _register_install(),
        lambda case: bool(_read_install_attribute(case, "enabled")),
        prepare=_register_install(enabled=False),
    ),
    "delete the install": CrashOperation(
        delete_install_if_exists, lambda case: not case.world.scan_rows_of_type(case.install_id, "install")
    ),
    "execute": CrashOperation(_execute_fire, _is_run_succeeded),
    "execute and pause": CrashOperation(
        _execute_failing_fire,
        _is_paused,
        prepare=_update_schedule(pauseAfterFailures=Number("1")),
    ),
    "execute a one-time schedule": CrashOperation(_execute_fire, _is_completed, prepare=_make_one_time),
    "resume the tenant over the time of a one-time schedule": CrashOperation(
        _set_tenant_paused(paused=False),
        lambda case: _is_completed(case) == (not _is_tenant_paused(case)) and not _is_tenant_paused(case),
        prepare=_pause_over_its_time,
    ),
    "execute with a payload of an earlier release": CrashOperation(
        _execute_fire, _is_payload_moved, prepare=_store_payload_in_row
    ),
}


def new_case(world: World, operation: CrashOperation) -> CrashCase:
    """Register an install and prepare it for the operation."""
    install_id = InstallId(str(uuid4()))
    world.register_install(install_id, registryId=install_id, tenantId=install_id)
    schedule = create_schedule(world.services, install_id, create_input(name="before"))
    hour = schedule.created_at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    fire = create_fire(schedule, format_time(hour.astimezone(UTC)))
    case = CrashCase(world, install_id, schedule, fire)
    if operation.prepare:
        operation.prepare(case)
    return case
