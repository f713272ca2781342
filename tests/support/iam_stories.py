"""What each function does, also where an earlier call of it or another has died half-way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scheduling.api.parsing import encode_cursor, encode_tenant_cursor
from scheduling.operations.installs.tenants import TenantCursor

from tests.support.cases import (
    OTHER,
    Case,
    Step,
    create_another,
    dangling_name,
    delete_it,
    delete_its_install,
    disable_install,
    drop_timer,
    killed_at,
    lost_name,
    next_fire,
    orphan,
    pause_tenant,
    runner_fails,
    running,
    sweep_due,
    update_it,
    wrong_count,
)
from tests.support.functions import Context, http_event, load
from tests.support.stream import stream_record
from tests.support.world import TABLE, TENANT, registration_body


@dataclass(frozen=True)
class Story:
    """A function, the event that it gets, and what was before."""

    function: str
    event: Callable[[Case], dict[str, Any]]
    before: tuple[Step, ...] = ()
    fails: bool = False
    """Whether the function fails even if nothing disturbs it."""


def _on_install(
    body: object = None, headers: Mapping[str, str] | None = None
) -> Callable[[Case], dict[str, Any]]:
    return lambda case: http_event(body, headers=headers, installId=case.install_id)


def _on_schedule(
    body: object = None, headers: Mapping[str, str] | None = None
) -> Callable[[Case], dict[str, Any]]:
    return lambda case: http_event(
        body, headers=headers, installId=case.install_id, scheduleId=case.schedule.id
    )


def _on_tenant(_case: Case) -> dict[str, Any]:
    return http_event(tenantId=TENANT)


def _on_tenant_from_the_first(case: Case) -> dict[str, Any]:
    cursor = encode_tenant_cursor(TenantCursor(case.install_id, case.schedule.id))
    return http_event(query={"cursor": str(cursor)}, tenantId=TENANT)


def _callback(operation: str, **fields: object) -> Callable[[Case], dict[str, Any]]:
    def event(case: Case) -> dict[str, Any]:
        named = {"scheduleId": case.schedule.id} if operation in ("get", "update", "delete") else {}
        return http_event({"operation": operation, **named, **fields}, installId=case.install_id)

    return event


def _every_minute(case: Case) -> dict[str, Any]:
    case.world.advance(minutes=2)
    return {"detail-type": "Scheduled Event"}


def _changes(case: Case) -> dict[str, Any]:
    """All of the table's, so far."""
    assert case.world.memory
    changes = case.world.memory.tables[TABLE].changes
    moment = case.world.clock[0]
    return {"Records": [stream_record(moment, number, *change) for number, change in enumerate(changes)]}


def _handler(_case: Case, function: str, event: dict[str, Any]) -> None:
    load(function).handler(event, Context())


_SCHEDULE = {"endpoint": "POST /api/sync", "cron": "0 * * * *", "name": "new", "payload": [1]}
_KEY = {"idempotency-key": "key"}

STORIES: dict[str, Story] = {
    "callback: list": Story("callback", _callback("list")),
    "callback: get": Story("callback", _callback("get")),
    "callback: create": Story("callback", _callback("create", **_SCHEDULE)),
    "callback: update": Story("callback", _callback("update", cron="5 * * * *", name="other")),
    "callback: update a pending one": Story(
        "callback",
        _callback("update", cron="5 * * * *"),
        (killed_at("UpdateSchedule", update_it(cron="1 * * * *")),),
    ),
    "callback: delete": Story("callback", _callback("delete")),
    "callback: endpoints": Story("callback", _callback("getEndpoints")),
    "list": Story("list", _on_install()),
    "list the next page": Story(
        "list",
        lambda case: http_event(
            query={"cursor": str(encode_cursor(case.schedule.id))}, installId=case.install_id
        ),
    ),
    "create": Story("create", _on_install(_SCHEDULE, _KEY)),
    "create disabled": Story("create", _on_install({**_SCHEDULE, "enabled": False})),
    "create again after a death": Story(
        "create",
        _on_install(_SCHEDULE, _KEY),
        (
            killed_at(
                "CreateSchedule",
                lambda case: _handler(case, "create", _on_install(_SCHEDULE, _KEY)(case)),
            ),
        ),
    ),
    "get": Story("get", _on_schedule()),
    "update": Story("update", _on_schedule({"cron": "5 * * * *", "name": "other"})),
    "update the payload alone": Story("update", _on_schedule({"payload": [2]})),
    "update: disable": Story("update", _on_schedule({"enabled": False})),
    "update: no timer": Story("update", _on_schedule({"cron": "5 * * * *"}), (drop_timer,)),
    "update a pending one": Story(
        "update",
        _on_schedule({"cron": "5 * * * *"}),
        (killed_at("UpdateSchedule", update_it(cron="1 * * * *")),),
    ),
    "delete": Story("delete", _on_schedule()),
    "delete a disabled one": Story("delete", _on_schedule(), (update_it(enabled=False),)),
    "delete: no timer": Story("delete", _on_schedule(), (drop_timer,)),
    "delete a pending one": Story(
        "delete", _on_schedule(), (killed_at("UpdateSchedule", update_it(cron="1 * * * *")),)
    ),
    "endpoints": Story("endpoints", _on_install()),
    "runs": Story("runs", _on_schedule()),
    "preview": Story("preview", _on_install(_SCHEDULE)),
    "register": Story(
        "install_put", lambda _case: http_event(registration_body(), installId=OTHER), (delete_its_install,)
    ),
    "register the same": Story("install_put", _on_install(registration_body())),
    "register another version": Story(
        "install_put", _on_install(registration_body(contentHash="sha256:" + "1" * 64, versionId="version-2"))
    ),
    "register disabled": Story("install_put", _on_install(registration_body(enabled=False))),
    "register enabled again": Story("install_put", _on_install(registration_body()), (disable_install,)),
    "register anew while it is deleted": Story(
        "install_put",
        _on_install(registration_body()),
        (create_another, killed_at("DeleteSchedule", delete_its_install)),
    ),
    "get an install": Story("install_get", _on_install()),
    "delete an install": Story("install_delete", _on_install(), (create_another,)),
    "disable an install": Story("install_disable", _on_install(), (create_another,)),
    "disable an install with an unfinished delete": Story(
        "install_disable", _on_install(), (killed_at("DeleteSchedule", delete_it),)
    ),
    "enable an install": Story("install_enable", _on_install(), (disable_install,)),
    "enable an install whose timers stand": Story(
        "install_enable", _on_install(), (killed_at("DeleteSchedule", disable_install),)
    ),
    "enable an install with an unfinished delete": Story(
        "install_enable",
        _on_install(),
        (killed_at("DeleteSchedule", delete_it), killed_at("Query", disable_install)),
    ),
    "run now": Story("run", _on_schedule(headers=_KEY)),
    "run now without a key": Story("run", _on_schedule()),
    "a tenant's schedules": Story("tenant_schedules", _on_tenant),
    "a tenant's next schedules": Story("tenant_schedules", _on_tenant_from_the_first),
    "pause a tenant": Story("tenant_pause", _on_tenant, (create_another,)),
    "pause a tenant with an unfinished delete": Story(
        "tenant_pause", _on_tenant, (killed_at("DeleteSchedule", delete_it),)
    ),
    "resume a tenant": Story("tenant_resume", _on_tenant, (pause_tenant,)),
    "resume a tenant with an unfinished delete": Story(
        "tenant_resume",
        _on_tenant,
        (killed_at("DeleteSchedule", delete_it), killed_at("DeleteSchedule", pause_tenant)),
    ),
    "resume a tenant whose timers stand": Story(
        "tenant_resume", _on_tenant, (killed_at("DeleteSchedule", pause_tenant),)
    ),
    "fire": Story("execute", next_fire),
    "fire: the runner fails": Story("execute", next_fire, (runner_fails,), fails=True),
    "fire: the one before is under way": Story("execute", next_fire, (running,)),
    "reconcile nothing": Story("reconcile", _every_minute),
    "reconcile a create": Story("reconcile", _every_minute, (killed_at("CreateSchedule", create_another),)),
    "reconcile an update": Story(
        "reconcile", _every_minute, (killed_at("UpdateSchedule", update_it(cron="1 * * * *")),)
    ),
    "reconcile a delete": Story("reconcile", _every_minute, (killed_at("DeleteSchedule", delete_it),)),
    "reconcile a disabled install": Story(
        "reconcile", _every_minute, (killed_at("DeleteSchedule", disable_install),)
    ),
    "reconcile a paused tenant": Story("reconcile", _every_minute, (killed_at("Query", pause_tenant),)),
    "reconcile a deleted install": Story(
        "reconcile", _every_minute, (create_another, killed_at("DeleteSchedule", delete_its_install))
    ),
    "sweep: missed fires": Story("reconcile", _every_minute, (sweep_due,)),
    "sweep: no timer": Story("reconcile", _every_minute, (drop_timer, sweep_due)),
    "sweep: a timer without a row": Story("reconcile", _every_minute, (orphan, sweep_due)),
    "sweep: a lost name": Story("reconcile", _every_minute, (lost_name, sweep_due)),
    "sweep: a dangling name": Story("reconcile", _every_minute, (dangling_name, sweep_due)),
    "sweep: a wrong count": Story("reconcile", _every_minute, (wrong_count, sweep_due)),
    "tell of changes": Story("audit", _changes),
    "sweep: a dead run": Story("reconcile", _every_minute, (running, sweep_due)),
}
