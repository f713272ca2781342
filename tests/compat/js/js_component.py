"""Extensions in JavaScript, built from `sdk/wit` alone, in the runner. `make js-test` builds them and runs this."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from samples.build import ROOT
from tests.support.components.client import ALL_PROVIDERS, INSTALL_ID, ComponentClient
from tests.support.components.runner import create_runner_settings, start_runner
from tests.support.components.scheduler import SCHEDULE_JSON, RecordingScheduler, recording_scheduler

FOLDER: Path = ROOT / "build" / "js"


@pytest.fixture(scope="module")
def scheduler() -> Iterator[RecordingScheduler]:
    with recording_scheduler() as recording:
        yield recording


@pytest.fixture(scope="module")
def extension(scheduler: RecordingScheduler) -> Iterator[ComponentClient]:
    with start_runner(create_runner_settings(scheduler.url, FOLDER)) as url:
        client = ComponentClient(url, FOLDER / "extension" / "component.wasm")
        yield client
        client.http.clear()


def test_extension_schedules_itself(extension: ComponentClient, scheduler: RecordingScheduler) -> None:
    scheduler.set_response(201, {"success": True, "scheduleId": "new"})
    created = extension.execute_request("POST", "/api/setup")
    assert created.json()["scheduleId"] == "new", created.text
    assert json.loads(scheduler.requests[-1].body) == {
        "operation": "create",
        "endpoint": "POST /api/heartbeat",
        "cron": "*/5 * * * *",
        "timezone": "Europe/Berlin",
        "name": "heartbeat",
        "payload": {"source": "schedule"},
    }
    scheduler.set_response(200, {"schedules": [SCHEDULE_JSON]})
    (schedule,) = extension.execute_request("GET", "/api/schedules").json()
    assert schedule["endpointPath"] == "/api/sync"


def test_fire_reaches_the_extension(extension: ComponentClient, caplog: pytest.LogCaptureFixture) -> None:
    headers = {"x-alga-schedule-id": "schedule-1", "x-alga-scheduled-for": "2026-11-23T09:00:00Z"}
    with caplog.at_level("INFO", "extension"):
        executed = extension.execute_request("POST", "/api/heartbeat", body=b'{"n": 1}', headers=headers)
    assert executed.json() == {"install": INSTALL_ID, "received": {"n": 1}}
    assert any("heartbeat of schedule-1 at 2026-11-23T09:00:00Z" in message for message in caplog.messages)


def test_unimplemented_interface_is_refused(extension: ComponentClient) -> None:
    executed = extension.execute_request("GET", "/api/client", providers=[*ALL_PROVIDERS, "cap:client.read"])
    error = "execute_failed: alga:extension/clients.get-client is not available in this runner"
    assert executed.failure == (500, error)


def test_extension_on_quickjs_schedules_itself(
    scheduler: RecordingScheduler, caplog: pytest.LogCaptureFixture
) -> None:
    """The example of docs/guide-languages.md."""
    scheduler.set_response(201, {"success": True, "scheduleId": "new"})
    with start_runner(create_runner_settings(scheduler.url, FOLDER)) as url:
        client = ComponentClient(url, FOLDER / "quickjs" / "component.wasm")
        created = client.execute_request("POST", "/api/setup")
        assert created.json()["scheduleId"] == "new", created.text
        headers = {"x-alga-scheduled-for": "2026-11-23T09:00:00Z"}
        with caplog.at_level("INFO", "extension"):
            counted = client.execute_request("POST", "/api/count", headers=headers)
        client.http.clear()
    assert counted.json() == {"counted": "tickets"}
    assert any("counting, scheduled for 2026-11-23T09:00:00Z" in message for message in caplog.messages)
    assert json.loads(scheduler.requests[-1].body) == {
        "operation": "create",
        "endpoint": "POST /api/count",
        "cron": "0 * * * *",
        "name": "hourly-count",
        "payload": {"what": "tickets"},
    }
