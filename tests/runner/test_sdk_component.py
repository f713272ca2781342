"""The SDK's scheduler inside a real component, against a recording callback API."""

import json

from tests.support.component_client import RunnerClient
from tests.support.component_scheduler import INFO, SCHEDULE, RecordingScheduler


def test_the_sdk_speaks_python(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    payload = {"deep": [1, 2.5, "ü", None], "big": 12345678901234567890123}
    scheduler.answers(201, {"success": True, "scheduleId": "new"})
    keywords = {"payload": payload, "name": "n", "timezone": "UTC", "enabled": True}
    created = probe.call("/sdk/create", ["/a", "0 3 * * *"], keywords)["answer"]
    assert created == {"error": None, "field_errors": {}, "schedule_id": "new"}
    sent = {"operation": "create", "endpoint": "/a", "cron": "0 3 * * *", **keywords}
    assert json.loads(scheduler.requests[-1].body) == sent

    scheduler.answers(200, {"schedule": {**SCHEDULE, "payload": payload}})
    assert probe.call("/sdk/get", ["s"], {})["answer"] == {**INFO, "payload": payload}
    scheduler.answers(200, {"schedules": []})
    assert probe.call("/sdk/list", [], {})["answer"] == []


def test_the_sdk_tells_leave_from_clear(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    probe.call("/sdk/update", ["s"], {"cron": "0 4 * * *"})
    probe.call("/sdk/update", ["s"], {"name": None, "payload": None})
    head = {"operation": "update", "scheduleId": "s"}
    assert [json.loads(call.body) for call in scheduler.requests] == [
        {**head, "cron": "0 4 * * *"},
        {**head, "name": None, "payload": None},
    ]


def test_the_sdk_turns_errors_into_exceptions(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    scheduler.answers(429, {"error": "slow down"})
    assert probe.call("/sdk/list", [], {}) == {"code": "quota-exceeded", "type": "QuotaExceeded"}
    scheduler.answers(400, {"error": "Name too long", "fieldErrors": {"name": "Name too long"}})
    updated = probe.call("/sdk/update", ["s"], {"name": "x" * 200})["answer"]
    assert updated == {"error": "Name too long", "field_errors": {"name": "Name too long"}}
