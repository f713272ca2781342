"""The fields of each event."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from scheduling.domain.audit.events import (
    EVENT_SOURCE,
    AuditEvent,
    Entity,
    EventName,
    RowChange,
    RunRequest,
    ScheduleRun,
    event_from_change,
)
from scheduling.domain.deliveries.backfill import Backfill, Selection
from scheduling.domain.ids import SYSTEM, admin_actor
from scheduling.domain.runs import MAX_ERROR_LENGTH, Run, RunStatus, Trigger
from scheduling.domain.schedule import PAUSED_AFTER_FAILURES

from tests.support.oracles.event_schema import find_violation, load_schema
from tests.unit.builders import INSTALL_ID, NOW, SCHEDULE_ID, definition, install, schedule

ROLE = "arn:aws:iam::123456789012:role/platform"
SECRET = "confidential"
SCHEDULE_ROW = schedule(name="daily", payload=json.dumps([SECRET]))
UPDATED = SCHEDULE_ROW.with_definition(definition(name=None, payload="[2]", cron="5 * * * *"), NOW)
INSTALL_ROW = install()
MOVED = INSTALL_ROW.with_changes(
    admin_actor(ROLE), version_id="version-2", removed_endpoints=frozenset({"POST /b", "GET /a"})
)
FAILED_RUN = Run(
    scheduled_time="2026-11-23T09:00:00Z",
    status=RunStatus.ERROR,
    attempt=3,
    started_at=NOW + timedelta(milliseconds=1234),
    duration_ms=17,
    http_status=500,
    error="The extension answered 500: no",
    request_id="request-3",
    detail="for the operator only",
    retryable=True,
)
MISSED_RUN = Run(
    scheduled_time="2026-11-23T09:00:00Z", status=RunStatus.MISSED, attempt=0, started_at=NOW, error="x"
)

BACKFILL = Backfill(
    tenant_id="tenant-1",
    install_id=INSTALL_ID,
    schedule_id=SCHEDULE_ID,
    token="token",
    first=NOW - timedelta(hours=2),
    last=NOW,
    which=Selection.ALL,
    scheduled_times=["2026-11-23T09:00:00Z"],
    requested_at=NOW,
    requested_by=admin_actor(ROLE),
    sending_until=NOW,
    expires_at=NOW,
)


def occurrence_of(run: Run) -> ScheduleRun:
    return ScheduleRun(tenant_id="tenant-1", install_id=INSTALL_ID, schedule_id=SCHEDULE_ID, run=run)


def expect_audit_event(before: Entity | None, after: Entity | None) -> AuditEvent:
    moment = NOW + timedelta(microseconds=123_456)
    event = event_from_change(RowChange(id="e1", sequence="17", time=moment, before=before, after=after))
    assert event
    return event


STAMP = {"version": "1", "id": "e1", "sequence": "17", "time": "2026-11-23T09:00:00.123Z"}
COMMON_FIELDS = {**STAMP, "tenantId": "tenant-1", "installId": INSTALL_ID}
SCHEDULE = {
    "endpointMethod": "POST",
    "endpointPath": "/api/sync",
    "name": "daily",
    "cron": "0 9 * * *",
    "timezone": "UTC",
    "enabled": True,
    "pauseAfterFailures": None,
    "spreadMinutes": None,
    "disabledReason": None,
    "revision": 1,
}
INSTALL = {
    "registryId": "registry-1",
    "versionId": "version-1",
    "extensionName": None,
    "extensionVersion": None,
    "contentHash": "sha256:abc",
    "grantedCapabilities": ["cap:context.read", "cap:scheduler.manage"],
    "enabled": True,
    "paused": False,
}
HOST_ACTOR = {"actor": {"kind": "host_api", "principal": INSTALL_ID}}
ADMIN_ACTOR = {"actor": {"kind": "admin", "principal": ROLE}}
SYSTEM_ACTOR = {"actor": {"kind": "system", "principal": None}}
SCHEDULE_EVENT_FIELDS = {"scheduleId": SCHEDULE_ID}
EVENTS: dict[EventName, tuple[Entity | None, Entity | None, dict[str, Any]]] = {
    EventName.SCHEDULE_CREATED: (
        None,
        SCHEDULE_ROW,
        {**SCHEDULE_EVENT_FIELDS, **HOST_ACTOR, "before": None, "after": SCHEDULE},
    ),
    EventName.SCHEDULE_UPDATED: (
        SCHEDULE_ROW,
        UPDATED,
        {
            **SCHEDULE_EVENT_FIELDS,
            **HOST_ACTOR,
            "before": SCHEDULE,
            "after": {**SCHEDULE, "name": None, "cron": "5 * * * *", "revision": 2},
            "payloadChanged": True,
        },
    ),
    EventName.SCHEDULE_PAUSED: (
        SCHEDULE_ROW,
        replace(
            SCHEDULE_ROW.with_definition(replace(SCHEDULE_ROW.definition, enabled=False), NOW, SYSTEM),
            disabled_reason=PAUSED_AFTER_FAILURES,
        ),
        {
            **SCHEDULE_EVENT_FIELDS,
            **SYSTEM_ACTOR,
            "before": SCHEDULE,
            "after": {**SCHEDULE, "enabled": False, "disabledReason": PAUSED_AFTER_FAILURES, "revision": 2},
            "payloadChanged": False,
        },
    ),
    EventName.SCHEDULE_DELETED: (
        SCHEDULE_ROW,
        SCHEDULE_ROW.marked_deleted(NOW, admin_actor(ROLE)),
        {**SCHEDULE_EVENT_FIELDS, **ADMIN_ACTOR, "before": SCHEDULE, "after": None},
    ),
    EventName.BACKFILL_REQUESTED: (
        None,
        BACKFILL,
        {
            **SCHEDULE_EVENT_FIELDS,
            **ADMIN_ACTOR,
            "before": None,
            "after": {
                "from": "2026-11-23T07:00:00.000Z",
                "to": "2026-11-23T09:00:00.000Z",
                "which": "all",
                "count": 1,
            },
        },
    ),
    EventName.RUN_REQUESTED: (
        None,
        RunRequest(
            tenant_id="tenant-1",
            install_id=INSTALL_ID,
            schedule_id=SCHEDULE_ID,
            scheduled_time="2026-11-23T09:00:00.123Z",
            requested_by=admin_actor(ROLE),
        ),
        {
            **SCHEDULE_EVENT_FIELDS,
            **ADMIN_ACTOR,
            "before": None,
            "after": {"scheduledTime": "2026-11-23T09:00:00.123Z", "trigger": "manual"},
        },
    ),
    EventName.RUN_FAILED: (
        None,
        occurrence_of(FAILED_RUN),
        {
            **SCHEDULE_EVENT_FIELDS,
            **SYSTEM_ACTOR,
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
                "requestId": "request-3",
            },
        },
    ),
    EventName.RUN_MISSED: (
        None,
        occurrence_of(MISSED_RUN),
        {
            **SCHEDULE_EVENT_FIELDS,
            **SYSTEM_ACTOR,
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
                "requestId": None,
            },
        },
    ),
    EventName.INSTALL_REGISTERED: (None, INSTALL_ROW, {**SYSTEM_ACTOR, "before": None, "after": INSTALL}),
    EventName.INSTALL_CHANGED: (
        INSTALL_ROW,
        INSTALL_ROW.with_changes(admin_actor(ROLE), paused=True),
        {**ADMIN_ACTOR, "before": INSTALL, "after": {**INSTALL, "paused": True}},
    ),
    EventName.INSTALL_MOVED: (
        INSTALL_ROW,
        MOVED,
        {
            **ADMIN_ACTOR,
            "before": INSTALL,
            "after": {**INSTALL, "versionId": "version-2"},
            "dropped": ["GET /a", "POST /b"],
        },
    ),
    EventName.INSTALL_DELETED: (
        INSTALL_ROW,
        INSTALL_ROW.with_changes(admin_actor(ROLE), deleting=True),
        {**ADMIN_ACTOR, "before": INSTALL, "after": None},
    ),
}


@pytest.mark.parametrize("name", EventName)
def test_event_matches_exactly(name: EventName) -> None:
    before, after, expected = EVENTS[name]

    event = expect_audit_event(before, after)

    assert (event.name, event.sequence) == (name, "17")
    assert event.detail == {**COMMON_FIELDS, **expected}
    assert find_violation(EVENT_SOURCE, name.value, event.detail) is None


@pytest.mark.parametrize("name", EventName)
def test_undocumented_content_violates_the_schema(name: EventName) -> None:
    detail = expect_audit_event(*EVENTS[name][:2]).detail

    assert find_violation(EVENT_SOURCE, name.value, {**detail, "payload": [1]})
    assert find_violation(EVENT_SOURCE, name.value, {**detail, "after": {**SCHEDULE, "payload": [1]}})
    for member in detail:
        assert find_violation(
            EVENT_SOURCE, name.value, {each: detail[each] for each in detail if each != member}
        )


def test_every_event_is_documented() -> None:
    documented = [each["properties"]["detail-type"]["const"] for each in load_schema()["oneOf"]]

    assert documented == [name.value for name in EventName]


@pytest.mark.parametrize(
    ("payload", "changed"), [(SCHEDULE_ROW.definition.payload, False), ("[2]", True), (None, True)], ids=str
)
def test_payload_change_is_flagged_without_content(payload: str | None, changed: bool) -> None:
    after = SCHEDULE_ROW.with_definition(replace(SCHEDULE_ROW.definition, name="x", payload=payload), NOW)

    event = expect_audit_event(SCHEDULE_ROW, after)

    assert event.detail["payloadChanged"] is changed
    assert SECRET not in json.dumps(event.detail)


@pytest.mark.parametrize("error", ["\0" * MAX_ERROR_LENGTH, "€" * MAX_ERROR_LENGTH], ids=["escapes", "euro"])
def test_longest_error_is_not_truncated(error: str) -> None:
    event = expect_audit_event(None, occurrence_of(replace(FAILED_RUN, error=error, trigger=Trigger.MANUAL)))

    assert event.detail["after"] == {
        **EVENTS[EventName.RUN_FAILED][2]["after"],
        "error": error,
        "trigger": "manual",
    }
    assert len(json.dumps(event.detail)) < 26_000
