"""The SDK's scheduler inside a real component, against a recording callback API."""

import importlib
import json
import sys
from types import ModuleType, SimpleNamespace

import pytest

from tests.support.components.client import ComponentClient
from tests.support.components.scheduler import SCHEDULE_INFO, SCHEDULE_JSON, RecordingScheduler


def test_sdk_uses_python_types(probe: ComponentClient, scheduler: RecordingScheduler) -> None:
    payload = {"deep": [1, 2.5, "ü", None], "big": 12345678901234567890123}
    scheduler.set_response(201, {"success": True, "scheduleId": "new"})
    keywords = {"payload": payload, "name": "n", "timezone": "UTC", "enabled": True}
    created = probe.call_json("/sdk/create", ["/a", "0 3 * * *"], keywords)["answer"]
    assert created == {"error": None, "field_errors": {}, "schedule_id": "new", "code": None}
    sent = {"operation": "create", "endpoint": "/a", "cron": "0 3 * * *", **keywords}
    assert json.loads(scheduler.requests[-1].body) == sent

    scheduler.set_response(200, {"schedule": {**SCHEDULE_JSON, "payload": payload}})
    assert probe.call_json("/sdk/get", ["s"], {})["answer"] == {**SCHEDULE_INFO, "payload": payload}
    scheduler.set_response(200, {"schedules": []})
    assert probe.call_json("/sdk/list", [], {})["answer"] == []


def test_sdk_distinguishes_omit_from_clear(probe: ComponentClient, scheduler: RecordingScheduler) -> None:
    probe.call_json("/sdk/update", ["s"], {"cron": "0 4 * * *"})
    probe.call_json("/sdk/update", ["s"], {"name": None, "payload": None})
    head = {"operation": "update", "scheduleId": "s"}
    assert [json.loads(call.body) for call in scheduler.requests] == [
        {**head, "cron": "0 4 * * *"},
        {**head, "name": None, "payload": None},
    ]


def test_sdk_clears_the_payload_by_the_json_text_null(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = []
    bindings = ModuleType("wit_world.imports")
    scheduler = SimpleNamespace(
        update_schedule=lambda _id, schedule_input: (
            inputs.append(schedule_input) or SimpleNamespace(success=True)  # type: ignore[func-returns-value]
        )
    )
    types = SimpleNamespace(CreateScheduleInput=dict, UpdateScheduleInput=dict)
    bindings.__dict__.update(context=None, logging=None, scheduler=scheduler)
    monkeypatch.setitem(sys.modules, "componentize_py_types", SimpleNamespace(Err=Exception))
    monkeypatch.setitem(sys.modules, "wit_world", ModuleType("wit_world"))
    monkeypatch.setitem(sys.modules, "wit_world.imports", bindings)
    monkeypatch.setitem(sys.modules, "wit_world.imports.types", types)
    monkeypatch.delitem(sys.modules, "extension_sdk._wasm", raising=False)

    wasm = importlib.import_module("extension_sdk._wasm")
    wasm.WasmScheduler().update("s", payload=None)
    wasm.WasmScheduler().update("s", name=None)
    unchanged = dict.fromkeys(("endpoint", "cron", "timezone", "enabled", "name", "payload"))
    assert inputs == [{**unchanged, "payload": "null"}, {**unchanged, "name": ""}]


def test_sdk_raises_typed_errors(probe: ComponentClient, scheduler: RecordingScheduler) -> None:
    scheduler.set_response(429, {"error": "slow down"})
    assert probe.call_json("/sdk/list", [], {}) == {"code": "quota-exceeded", "type": "QuotaExceeded"}
    scheduler.set_response(400, {"error": "Name too long", "fieldErrors": {"name": "Name too long"}})
    updated = probe.call_json("/sdk/update", ["s"], {"name": "x" * 200})["answer"]
    assert updated == {"error": "Name too long", "field_errors": {"name": "Name too long"}, "code": None}
