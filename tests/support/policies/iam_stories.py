"""What each function does, also after an earlier call of it or of another function was killed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scheduling.domain.ids import MAX_INLINE_PAYLOAD_BYTES
from scheduling.domain.views import cursor_scope, encode_cursor

from tests.support.aws.stream_records import stream_record
from tests.support.faults.cases import (
    Case,
    CaseAction,
    corrupt_count,
    create_dangling_name,
    create_orphan_timer,
    create_orphaned_payload,
    create_second_schedule,
    delete_case_schedule,
    delete_name_row,
    delete_timer,
    disable_install,
    fire_message,
    kill_at,
    lose_message,
    make_one_time,
    make_runner_fail,
    make_sweep_due,
    next_fire_event,
    next_fire_message,
    pass_its_time,
    pause_tenant,
    record_two_attempts,
    remove_index_entries,
    start_abandoned_run,
    store_payload_in_row,
    uninstall_case,
    update_case_schedule,
)
from tests.support.stacks.functions import Context, http_event, load_function
from tests.support.stacks.world import TABLE, TENANT, UNKNOWN_SCHEDULE_ID, registration_body


@dataclass(frozen=True)
class Story:
    """A function, its event, and the actions before it."""

    function: str
    event: Callable[[Case], dict[str, Any]]
    preparations: tuple[CaseAction, ...] = ()
    fails: bool = False
    """Whether the function fails even without a fault."""


def _install_event(
    body: object = None, headers: Mapping[str, str] | None = None
) -> Callable[[Case], dict[str, Any]]:
    return lambda case: http_event(body, headers=headers, installId=case.install_id)


def _schedule_event(
    body: object = None, headers: Mapping[str, str] | None = None
) -> Callable[[Case], dict[str, Any]]:
    return lambda case: http_event(
        body, headers=headers, installId=case.install_id, scheduleId=case.schedule.id
    )


def _backfill_event(case: Case, **fields: object) -> dict[str, Any]:
    """Build the event for the two occurrences before the case was created."""
    body = {"from": "2026-11-21T09:00:00Z", "to": "2026-11-22T09:00:00Z", "which": "all", **fields}
    return _schedule_event(body)(case)


def _tenant_event(_case: Case) -> dict[str, Any]:
    return http_event(tenantId=TENANT)


def _tenant_event_with_cursor(case: Case) -> dict[str, Any]:
    cursor = encode_cursor(
        cursor_scope("tenant-schedules", TENANT), f"{case.install_id} {case.schedule.id} 0"
    )
    return http_event(query={"cursor": str(cursor)}, tenantId=TENANT)


def _callback_event(operation: str, **fields: object) -> Callable[[Case], dict[str, Any]]:
    def create_event(case: Case) -> dict[str, Any]:
        schedule = {"scheduleId": case.schedule.id} if operation in ("get", "update", "delete") else {}
        return http_event({"operation": operation, **schedule, **fields}, installId=case.install_id)

    return create_event


def _minute_event(case: Case) -> dict[str, Any]:
    case.world.advance(minutes=2)
    return {"detail-type": "Scheduled Event"}


def _stream_event(case: Case) -> dict[str, Any]:
    """Build the event of all changes of the table so far."""
    assert case.world.memory
    changes = case.world.memory.tables[TABLE].changes
    moment = case.world.clock[0]
    return {"Records": [stream_record(moment, number, *change) for number, change in enumerate(changes)]}


def _invoke_function(_case: Case, function: str, event: dict[str, Any]) -> None:
    load_function(function).handler(event, Context())


_SCHEDULE_BODY = {"endpoint": "POST /api/sync", "cron": "0 * * * *", "name": "new", "payload": [1]}
_LARGE_TEXT = "x" * MAX_INLINE_PAYLOAD_BYTES
_KEY_HEADER = {"idempotency-key": "key"}

STORIES: dict[str, Story] = {
    "callback: list": Story("callback", _callback_event("list")),
    "callback: get": Story("callback", _callback_event("get")),
    "callback: create": Story("callback", _callback_event("create", **_SCHEDULE_BODY)),
    "callback: update": Story("callback", _callback_event("update", cron="5 * * * *", name="other")),
    "callback: update a pending one": Story(
        "callback",
        _callback_event("update", cron="5 * * * *"),
        (kill_at("UpdateSchedule", update_case_schedule(cron="1 * * * *")),),
    ),
    "callback: delete": Story("callback", _callback_event("delete")),
    "callback: endpoints": Story("callback", _callback_event("getEndpoints")),
    "list": Story("list", _install_event()),
    "list the next page": Story(
        "list",
        lambda case: http_event(
            query={
                "cursor": str(encode_cursor(cursor_scope("schedules", case.install_id), case.schedule.id))
            },
            installId=case.install_id,
        ),
    ),
    "create": Story("create", _install_event(_SCHEDULE_BODY, _KEY_HEADER)),
    "create disabled": Story("create", _install_event({**_SCHEDULE_BODY, "enabled": False})),
    "create retried after a kill": Story(
        "create",
        _install_event(_SCHEDULE_BODY, _KEY_HEADER),
        (
            kill_at(
                "CreateSchedule",
                lambda case: _invoke_function(
                    case, "create", _install_event(_SCHEDULE_BODY, _KEY_HEADER)(case)
                ),
            ),
        ),
    ),
    "get": Story("get", _schedule_event()),
    "update": Story("update", _schedule_event({"cron": "5 * * * *", "name": "other"})),
    "update the payload alone": Story("update", _schedule_event({"payload": [2]})),
    "update to a large payload": Story("update", _schedule_event({"payload": [_LARGE_TEXT]})),
    "update from a large payload": Story(
        "update", _schedule_event({"payload": None}), (update_case_schedule(payload=[_LARGE_TEXT]),)
    ),
    "update: disable": Story("update", _schedule_event({"enabled": False})),
    "update: no timer": Story("update", _schedule_event({"cron": "5 * * * *"}), (delete_timer,)),
    "update a pending one": Story(
        "update",
        _schedule_event({"cron": "5 * * * *"}),
        (kill_at("UpdateSchedule", update_case_schedule(cron="1 * * * *")),),
    ),
    "delete": Story("delete", _schedule_event()),
    "delete with a large payload": Story(
        "delete", _schedule_event(), (update_case_schedule(payload=[_LARGE_TEXT]),)
    ),
    "delete a disabled one": Story("delete", _schedule_event(), (update_case_schedule(enabled=False),)),
    "delete: no timer": Story("delete", _schedule_event(), (delete_timer,)),
    "delete a pending one": Story(
        "delete", _schedule_event(), (kill_at("UpdateSchedule", update_case_schedule(cron="1 * * * *")),)
    ),
    "create by an admin": Story("admin_create", _install_event(_SCHEDULE_BODY, _KEY_HEADER)),
    "create by an admin, disabled": Story(
        "admin_create", _install_event({**_SCHEDULE_BODY, "enabled": False})
    ),
    "create by an admin, retried after a kill": Story(
        "admin_create",
        _install_event(_SCHEDULE_BODY, _KEY_HEADER),
        (
            kill_at(
                "CreateSchedule",
                lambda case: _invoke_function(
                    case, "admin_create", _install_event(_SCHEDULE_BODY, _KEY_HEADER)(case)
                ),
            ),
        ),
    ),
    "update by an admin": Story("admin_update", _schedule_event({"cron": "5 * * * *", "name": "other"})),
    "update by an admin: disable": Story("admin_update", _schedule_event({"enabled": False})),
    "update by an admin: no timer": Story(
        "admin_update", _schedule_event({"cron": "5 * * * *"}), (delete_timer,)
    ),
    "delete by an admin": Story("admin_delete", _schedule_event()),
    "delete by an admin, a disabled one": Story(
        "admin_delete", _schedule_event(), (update_case_schedule(enabled=False),)
    ),
    "delete by an admin: no timer": Story("admin_delete", _schedule_event(), (delete_timer,)),
    "delete by an admin, a pending one": Story(
        "admin_delete",
        _schedule_event(),
        (kill_at("UpdateSchedule", update_case_schedule(cron="1 * * * *")),),
    ),
    "installs of all tenants": Story("installs", lambda _case: http_event()),
    "installs of a tenant": Story("installs", lambda _case: http_event(query={"tenant": TENANT})),
    "endpoints": Story("endpoints", _install_event()),
    "runs": Story("runs", _schedule_event()),
    "preview": Story("preview", _install_event(_SCHEDULE_BODY)),
    "register": Story(
        "install_put",
        lambda _case: http_event(registration_body(), installId=UNKNOWN_SCHEDULE_ID),
        (uninstall_case,),
    ),
    "register the same": Story("install_put", _install_event(registration_body())),
    "register another version": Story(
        "install_put",
        _install_event(registration_body(contentHash="sha256:" + "1" * 64, versionId="version-2")),
    ),
    "register disabled": Story("install_put", _install_event(registration_body(enabled=False))),
    "register re-enabled": Story("install_put", _install_event(registration_body()), (disable_install,)),
    "register during uninstall": Story(
        "install_put",
        _install_event(registration_body()),
        (create_second_schedule, kill_at("DeleteSchedule", uninstall_case)),
    ),
    "get an install": Story("install_get", _install_event()),
    "changes of an install": Story("changes", _install_event()),
    "delete an install": Story("install_delete", _install_event(), (create_second_schedule,)),
    "disable an install": Story("install_disable", _install_event(), (create_second_schedule,)),
    "disable an install with an unfinished delete": Story(
        "install_disable", _install_event(), (kill_at("DeleteSchedule", delete_case_schedule),)
    ),
    "enable an install": Story("install_enable", _install_event(), (disable_install,)),
    "enable an install over the time of a one-time schedule": Story(
        "install_enable", _install_event(), (make_one_time, disable_install, pass_its_time)
    ),
    "enable an install with leftover timers": Story(
        "install_enable", _install_event(), (kill_at("DeleteSchedule", disable_install),)
    ),
    "enable an install with an unfinished delete": Story(
        "install_enable",
        _install_event(),
        (kill_at("DeleteSchedule", delete_case_schedule), kill_at("Query", disable_install)),
    ),
    "run now": Story("run", _schedule_event(headers=_KEY_HEADER)),
    "run now without a key": Story("run", _schedule_event()),
    "backfill": Story("backfill", _backfill_event),
    "backfill, a dry run": Story("backfill", lambda case: _backfill_event(case, dryRun=True)),
    "backfill after an interrupted one": Story(
        "backfill",
        _backfill_event,
        (
            kill_at("SendMessage", lambda case: _invoke_function(case, "backfill", _backfill_event(case))),
            lambda case: case.world.advance(minutes=2),
        ),
    ),
    "a tenant's schedules": Story("tenant_schedules", _tenant_event),
    "a tenant's next schedules": Story("tenant_schedules", _tenant_event_with_cursor),
    "pause a tenant": Story("tenant_pause", _tenant_event, (create_second_schedule,)),
    "pause a tenant with an unfinished delete": Story(
        "tenant_pause", _tenant_event, (kill_at("DeleteSchedule", delete_case_schedule),)
    ),
    "resume a tenant": Story("tenant_resume", _tenant_event, (pause_tenant,)),
    "resume a tenant with an unfinished delete": Story(
        "tenant_resume",
        _tenant_event,
        (kill_at("DeleteSchedule", delete_case_schedule), kill_at("DeleteSchedule", pause_tenant)),
    ),
    "resume a tenant over the time of a one-time schedule": Story(
        "tenant_resume", _tenant_event, (make_one_time, pause_tenant, pass_its_time)
    ),
    "resume a tenant with leftover timers": Story(
        "tenant_resume", _tenant_event, (kill_at("DeleteSchedule", pause_tenant),)
    ),
    "fire": Story("execute", next_fire_message),
    "fire without the queue": Story("execute", next_fire_event),
    "fire: the payload is in the schedule's row": Story(
        "execute", next_fire_message, (store_payload_in_row,)
    ),
    "fire: a one-time schedule": Story("execute", next_fire_message, (make_one_time,)),
    "fire: the runner fails": Story("execute", next_fire_message, (make_runner_fail,)),
    "fire: the runner fails for the third time": Story(
        "execute", next_fire_message, (record_two_attempts, make_runner_fail)
    ),
    "fire: the previous one is running": Story("execute", next_fire_message, (start_abandoned_run,)),
    "fire: the message is unreadable": Story("execute", lambda _case: fire_message(5)),
    "reconcile nothing": Story("reconcile", _minute_event),
    "reconcile a create": Story(
        "reconcile", _minute_event, (kill_at("CreateSchedule", create_second_schedule),)
    ),
    "reconcile an update": Story(
        "reconcile", _minute_event, (kill_at("UpdateSchedule", update_case_schedule(cron="1 * * * *")),)
    ),
    "reconcile a delete": Story(
        "reconcile", _minute_event, (kill_at("DeleteSchedule", delete_case_schedule),)
    ),
    "reconcile a disabled install": Story(
        "reconcile", _minute_event, (kill_at("DeleteSchedule", disable_install),)
    ),
    "reconcile a paused tenant": Story("reconcile", _minute_event, (kill_at("Query", pause_tenant),)),
    "reconcile a deleted install": Story(
        "reconcile", _minute_event, (create_second_schedule, kill_at("DeleteSchedule", uninstall_case))
    ),
    "sweep: missed fires": Story("reconcile", _minute_event, (make_sweep_due,)),
    "sweep: no timer": Story("reconcile", _minute_event, (delete_timer, make_sweep_due)),
    "sweep: an orphaned timer": Story("reconcile", _minute_event, (create_orphan_timer, make_sweep_due)),
    "sweep: a lost name": Story("reconcile", _minute_event, (delete_name_row, make_sweep_due)),
    "sweep: a dangling name": Story("reconcile", _minute_event, (create_dangling_name, make_sweep_due)),
    "sweep: an orphaned payload": Story(
        "reconcile", _minute_event, (create_orphaned_payload, make_sweep_due)
    ),
    "sweep: a wrong count": Story("reconcile", _minute_event, (corrupt_count, make_sweep_due)),
    "sweep: lost entries of an index": Story(
        "reconcile", _minute_event, (remove_index_entries, make_sweep_due)
    ),
    "sweep: a lost message": Story("reconcile", _minute_event, (lose_message, make_sweep_due)),
    "publish changes": Story("audit", _stream_event),
    "sweep: an expired run": Story("reconcile", _minute_event, (start_abandoned_run, make_sweep_due)),
}
