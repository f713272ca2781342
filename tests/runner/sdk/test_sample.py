"""The sample extension outside a component, with the SDK's fake host."""

import importlib
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from extension_sdk import CreateResult, Extension, Request, host
from extension_sdk.testing import FakeHost, FakeScheduler

from samples.build import ROOT

UNKNOWN_ID = "5f0c8d2e-7a61-4c7e-9c1a-3b2d1e0f4a55"


@pytest.fixture(scope="module")
def app() -> Iterator[Extension]:
    folder = str(ROOT / "samples" / "scheduler_demo")
    sys.path.insert(0, folder)
    yield importlib.import_module("app").app
    sys.path.remove(folder)
    del sys.modules["app"]


@pytest.fixture
def fake(app: Extension) -> FakeHost:  # noqa: ARG001 - imported before
    fake_host = FakeHost()  # with the manifest beside the app
    host.connect(fake_host)
    return fake_host


def call_app(app: Extension, method: str, url: str, body: object = None) -> tuple[int, Any]:
    """Return the status and JSON of a response."""
    raw_body = None if body is None else json.dumps(body).encode()
    response = app.handle(Request(method, url, body=raw_body))
    return response.status, json.loads(response.body) if response.body else None


def test_manifest_declares_the_extension_endpoints(app: Extension, fake: FakeHost) -> None:
    manifest = json.loads((ROOT / "samples" / "scheduler_demo" / "manifest.json").read_text())
    for endpoint in manifest["api"]["endpoints"]:
        status, _ = call_app(app, endpoint["method"], endpoint["path"].replace(":id", UNKNOWN_ID))
        assert (status == 404) is (endpoint["method"] == "DELETE"), endpoint
    assert fake.log.lines


def setup(app: Extension) -> dict[str, list[str]]:
    """Call the endpoint and return what its report has."""
    status, report = call_app(app, "POST", "/api/setup")
    assert status == 200
    return {name: value for name, value in report.items() if value}


@pytest.mark.usefixtures("fake")
def test_setup_is_idempotent(app: Extension) -> None:
    names = ["heartbeat", "daily-status"]
    assert setup(app) == {"created": names}
    before = host.scheduler.list()
    assert setup(app) == {"unchanged": names}
    assert host.scheduler.list() == before
    daily = next(schedule for schedule in before if schedule.name == "daily-status")
    assert (daily.cron, daily.timezone, daily.endpoint_method) == ("0 9 * * *", "America/New_York", "GET")


def test_setup_updates_a_drifted_schedule(app: Extension, fake: FakeHost) -> None:
    setup(app)
    drifted = next(iter(fake.scheduler.schedules.values()))
    host.scheduler.update(drifted.id, cron="0 * * * *").raise_for_error()
    assert setup(app) == {"updated": ["heartbeat"], "unchanged": ["daily-status"]}
    assert host.scheduler.get(drifted.id) == drifted


def test_refused_setup_is_an_error(app: Extension, fake: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = CreateResult("Too many schedules (max 50 per extension install)")
    monkeypatch.setattr(FakeScheduler, "create", lambda *_arguments, **_fields: refused)
    assert call_app(app, "POST", "/api/setup")[0] == 500
    assert "Too many schedules" in fake.log.lines[-1][1]


def test_schedules_are_listed_and_deleted(app: Extension, fake: FakeHost) -> None:
    call_app(app, "POST", "/api/setup")
    _, schedules = call_app(app, "GET", "/api/schedules")
    first = schedules["schedules"][0]
    assert first["payload"] == {"source": "schedule"}
    assert call_app(app, "DELETE", f"/api/schedules/{first['id']}") == (204, None)
    assert call_app(app, "DELETE", f"/api/schedules/{first['id']}") == (404, {"error": "Schedule not found"})
    assert len(fake.scheduler.schedules) == 1


def test_status_and_heartbeat(app: Extension, fake: FakeHost) -> None:
    call_app(app, "POST", "/api/setup")
    assert call_app(app, "GET", "/api/status") == (
        200,
        {"ok": True, "schedules": {"heartbeat": None, "daily-status": None}},
    )
    received = {"ok": True, "received": {"n": 1}, "install": fake.context.install_id}
    assert call_app(app, "POST", "/api/heartbeat", {"n": 1}) == (200, received)
    assert not any(message.startswith(("status", "heartbeat")) for _, message in fake.log.lines)


def test_scheduled_heartbeat_logs_its_occurrence(app: Extension, fake: FakeHost) -> None:
    headers = {
        "x-alga-schedule-id": "schedule-1",
        "x-alga-scheduled-for": "2026-11-23T09:00:00Z",
        "x-alga-attempt": "1",
        "x-alga-trigger": "schedule",
    }
    app.handle(Request("POST", "/api/heartbeat", headers))
    text = "schedule schedule-1, scheduled for 2026-11-23T09:00:00+00:00, attempt 1, trigger schedule"
    assert fake.log.lines == [("info", f"heartbeat: {text}")]
