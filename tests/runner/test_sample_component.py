"""The sample extension as a component, in the runner."""

import json

from tests.support.stacks.component_client import INSTALL_ID, ComponentClient
from tests.support.stacks.component_scheduler import RecordingScheduler


def test_setup_creates_both_schedules(sample: ComponentClient, scheduler: RecordingScheduler) -> None:
    scheduler.set_response(200, {"schedules": [], "success": True, "scheduleId": "new"})
    executed = sample.execute_request("POST", "/api/setup")
    assert executed.json() == {"created": ["heartbeat", "daily-status"], "existing": [], "repaired": []}
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


def test_refused_setup_is_a_500_of_the_extension(
    sample: ComponentClient, scheduler: RecordingScheduler
) -> None:
    executed = sample.execute_request("POST", "/api/setup", providers=[])
    assert (executed.response["status"], executed.json()) == (500, {"error": "Internal error"})
    assert scheduler.requests == []
