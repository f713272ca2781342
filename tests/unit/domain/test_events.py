"""The form of each event."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from scheduling.domain.audit import (
    EVENT_SOURCE,
    AuditEvent,
    Entity,
    EventName,
    RowChange,
    ScheduleRun,
    event_from_change,
)
from scheduling.domain.ids import admin_actor
from scheduling.domain.runs import MAX_ERROR_LENGTH, Run, RunStatus, Trigger

from tests.support.event_schema import schema, violation
from tests.unit.builders import INSTALL_ID, NOW, SCHEDULE_ID, definition, install, schedule

ROLE = "arn:aws:iam::123456789012:role/platform"
SECRET = "do not tell"
S = schedule(name="daily", payload=json.dumps([SECRET]))
UPDATED = S.with_definition(definition(name=None, payload="[2]", cron="5 * * * *"), NOW)
I = install()  # noqa: E741
MOVED = I.with_changes(
    admin_actor(ROLE), version_id="version-2", removed_endpoints=frozenset({"POST /b", "GET /a"})
)
FAILED = Run(
    scheduled_time="2026-11-23T09:00:00Z",
    status=RunStatus.ERROR,
    attempt=3,
    started_at=NOW + timedelta(milliseconds=1234),
    duration_ms=17,
    http_status=500,
    error="The extension answered 500: no",
    retryable=True,
)
MISSED = Run(
    scheduled_time="2026-11-23T09:00:00Z", status=RunStatus.MISSED, attempt=0, started_at=NOW, error="x"
)


def of(run: Run) -> ScheduleRun:
    return ScheduleRun(tenant_id="tenant-1", install_id=INSTALL_ID, schedule_id=SCHEDULE_ID, run=run)


def told(before: Entity | None, after: Entity | None) -> AuditEvent:
    moment = NOW + timedelta(microseconds=123_456)
    event = event_from_change(RowChange(id="e1", sequence="17", time=moment, before=before, after=after))
    assert event
    return event


STAMP = {"version": "1", "id": "e1", "sequence": "17", "time": "2026-11-23T09:00:00.123Z"}
ABOUT = {**STAMP, "tenantId": "tenant-1", "installId": INSTALL_ID}
SCHEDULE = {
    "endpointMethod": "POST",
    "endpointPath": "/api/sync",
    "name": "daily",
    "cron": "0 9 * * *",
    "timezone": "UTC",
    "enabled": True,
    "disabledReason": None,
    "revision": 1,
}
INSTALL = {
    "registryId": "registry-1",
    "versionId": "version-1",
    "contentHash": "sha256:abc",
    "grantedCapabilities": ["cap:context.read", "cap:scheduler.manage"],
    "enabled": True,
    "paused": False,
}
HOST = {"actor": {"kind": "host_api", "principal": INSTALL_ID}}
ADMIN = {"actor": {"kind": "admin", "principal": ROLE}}
SYSTEM = {"actor": {"kind": "system", "principal": None}}
OF_SCHEDULE = {"scheduleId": SCHEDULE_ID}
EVENTS: dict[EventName, tuple[Entity | None, Entity | None, dict[str, Any]]] = {
    EventName.SCHEDULE_CREATED: (None, S, {**OF_SCHEDULE, **HOST, "before": None, "after": SCHEDULE}),
    EventName.SCHEDULE_UPDATED: (
        S,
        UPDATED,
        {
            **OF_SCHEDULE,
            **HOST,
            "before": SCHEDULE,
            "after": {**SCHEDULE, "name": None, "cron": "5 * * * *", "revision": 2},
            "payloadChanged": True,
        },
    ),
    EventName.SCHEDULE_DELETED: (
        S,
        S.marked_deleted(NOW, admin_actor(ROLE)),
        {**OF_SCHEDULE, **ADMIN, "before": SCHEDULE, "after": None},
    ),
    EventName.RUN_FAILED: (
        None,
        of(FAILED),
        {
            **OF_SCHEDULE,
            **SYSTEM,
            "before": None,
            "after": {
                "scheduledTime": "2026-11-23T09:00:00Z",
                "trigger": "schedule",
                "status": "error",
                "attempt": 3,
                "startedAt": "2026-11-23T09:00:01.234Z",
                "durationMs": 17,
                "httpStatus": 500,
                "error": "The extension answered 500: no",
            },
        },
    ),
    EventName.RUN_MISSED: (
        None,
        of(MISSED),
        {
            **OF_SCHEDULE,
            **SYSTEM,
            "before": None,
            "after": {
                "scheduledTime": "2026-11-23T09:00:00Z",
                "trigger": "schedule",
                "status": "missed",
                "attempt": 0,
                "startedAt": "2026-11-23T09:00:00.000Z",
                "durationMs": None,
                "httpStatus": None,
                "error": "x",
            },
        },
    ),
    EventName.INSTALL_REGISTERED: (None, I, {**SYSTEM, "before": None, "after": INSTALL}),
    EventName.INSTALL_CHANGED: (
        I,
        I.with_changes(admin_actor(ROLE), paused=True),
        {**ADMIN, "before": INSTALL, "after": {**INSTALL, "paused": True}},
    ),
    EventName.INSTALL_MOVED: (
        I,
        MOVED,
        {
            **ADMIN,
            "before": INSTALL,
            "after": {**INSTALL, "versionId": "version-2"},
            "dropped": ["GET /a", "POST /b"],
        },
    ),
    EventName.INSTALL_DELETED: (
        I,
        I.with_changes(admin_actor(ROLE), deleting=True),
        {**ADMIN, "before": INSTALL, "after": None},
    ),
}


@pytest.mark.parametrize("name", EventName)
def test_an_event_is_exactly_so(name: EventName) -> None:
    before, after, expected = EVENTS[name]

    event = told(before, after)

    assert (event.name, event.sequence) == (name, "17")
    assert event.detail == {**ABOUT, **expected}
    assert violation(EVENT_SOURCE, name.value, event.detail) is None


@pytest.mark.parametrize("name", EventName)
def test_what_is_not_documented_is_a_violation(name: EventName) -> None:
    detail = told(*EVENTS[name][:2]).detail

    assert violation(EVENT_SOURCE, name.value, {**detail, "payload": [1]})
    assert violation(EVENT_SOURCE, name.value, {**detail, "after": {**SCHEDULE, "payload": [1]}})
    for member in detail:
        assert violation(EVENT_SOURCE, name.value, {each: detail[each] for each in detail if each != member})


def test_every_event_is_documented() -> None:
    documented = [each["properties"]["detail-type"]["const"] for each in schema()["oneOf"]]

    assert documented == [name.value for name in EventName]


@pytest.mark.parametrize(
    ("payload", "changed"), [(S.definition.payload, False), ("[2]", True), (None, True)], ids=str
)
def test_another_payload_is_told_of_but_not_told(payload: str | None, changed: bool) -> None:
    after = S.with_definition(replace(S.definition, name="x", payload=payload), NOW)

    event = told(S, after)

    assert event.detail["payloadChanged"] is changed
    assert SECRET not in json.dumps(event.detail)


@pytest.mark.parametrize("error", ["\0" * MAX_ERROR_LENGTH, "€" * MAX_ERROR_LENGTH], ids=["escapes", "euro"])
def test_the_longest_error_is_told_whole(error: str) -> None:
    event = told(None, of(replace(FAILED, error=error, trigger=Trigger.MANUAL)))

    assert event.detail["after"] == {
        **EVENTS[EventName.RUN_FAILED][2]["after"],
        "error": error,
        "trigger": "manual",
    }
    assert len(json.dumps(event.detail)) < 26_000
