"""The sample extension as a component, in the runner."""

import json
import logging

import pytest

from tests.support.components.client import INSTALL_ID, ComponentClient
from tests.support.components.scheduler import RecordingScheduler


def test_setup_creates_both_schedules(sample: ComponentClient, scheduler: RecordingScheduler) -> None:
    scheduler.set_response(200, {"schedules": [], "success": True, "scheduleId": "new"})
    executed = sample.execute_request("POST", "/api/setup")
    report = {name: value for name, value in executed.json().items() if value}
    assert report == {"created": ["heartbeat", "daily-status"]}
    assert [json.loads(call.body) for call in scheduler.requests] == [
        {"operation": "list"},
        {
            "operation": "create",
            "endpoint": "POST /api/heartbeat",
            "cron": "*/5 * * * *",
            "timezone": "UTC",
            "name": "heartbeat",
            "payload": {"source": "schedule"},
        },
        {
            "operation": "create",
            "endpoint": "GET /api/status",
            "cron": "0 9 * * *",
            "timezone": "America/New_York",
            "name": "daily-status",
        },
    ]


def test_heartbeat_returns_its_request(sample: ComponentClient) -> None:
    executed = sample.execute_request("POST", "/api/heartbeat", body=b'{"source": "schedule"}')
    assert executed.response["status"] == 200
    assert executed.json() == {"ok": True, "received": {"source": "schedule"}, "install": INSTALL_ID}


def test_scheduled_heartbeat_logs_its_occurrence(
    sample: ComponentClient, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {
        "x-alga-schedule-id": "schedule-1",
        "x-alga-scheduled-for": "2026-11-23T09:00:00Z",
        "x-alga-attempt": "1",
        "x-alga-trigger": "schedule",
    }
    with caplog.at_level(logging.INFO, "extension"):
        sample.execute_request("POST", "/api/heartbeat", headers=headers)
    text = (
        "heartbeat: schedule schedule-1, scheduled for 2026-11-23T09:00:00+00:00, attempt 1, trigger schedule"
    )
    assert any(message.endswith(text) for message in caplog.messages)


def test_refused_setup_is_a_500_of_the_extension(
    sample: ComponentClient, scheduler: RecordingScheduler
) -> None:
    executed = sample.execute_request("POST", "/api/setup", providers=[])
    assert (executed.response["status"], executed.json()) == (500, {"error": "Internal error"})
    assert scheduler.requests == []
