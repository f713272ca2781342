"""The host interface `scheduler`, called from a real component against a recording callback API."""

import json
from typing import Any, cast

import pytest

from runner.host import callback
from runner.host.records import build_record
from runner.host.scheduler import HostScheduler
from runner.oversized import Oversized
from runner.protocol import CallbackResponse
from tests.support.components.client import INSTALL_ID, ComponentClient
from tests.support.components.scheduler import SCHEDULE_INFO, SCHEDULE_JSON, RecordingScheduler

DENIED = "Permission denied: cap:scheduler.manage not granted"
PAYLOAD = '{"big": 12345678901234567890123, "one":1.0, "huge":1e400, "text":"süß \\ud83d\\ude80", "n":-0.0}'


def create_fields(**fields: object) -> dict[str, object]:
    """Return an input record whose other fields are absent."""
    return {
        **dict.fromkeys(("endpoint", "cron", "timezone", "enabled", "name", "payload")),
        **fields,
    }


def test_call_matches_the_contract(probe: ComponentClient, scheduler: RecordingScheduler) -> None:
    scheduler.set_response(200, {"schedules": [SCHEDULE_JSON]})
    assert probe.call_json("/scheduler/list_schedules") == {"answer": [SCHEDULE_INFO]}
    (call,) = scheduler.requests
    assert call.path == f"/api/internal/ext-scheduler/install/{INSTALL_ID}"
    assert json.loads(call.body) == {"operation": "list"}
    assert call.headers["content-type"] == "application/json"
    assert call.headers["x-runner-auth"] == "callback-token"
    assert call.headers["accept-encoding"] == "gzip"


def test_get_returns_the_schedule_or_none(probe: ComponentClient, scheduler: RecordingScheduler) -> None:
    scheduler.set_response(200, {"schedule": SCHEDULE_JSON})
    assert probe.call_json("/scheduler/get_schedule", SCHEDULE_JSON["id"]) == {"answer": SCHEDULE_INFO}
    assert json.loads(scheduler.requests[0].body) == {"operation": "get", "scheduleId": SCHEDULE_JSON["id"]}
    scheduler.set_response(200, {"schedule": None})
    assert probe.call_json("/scheduler/get_schedule", "other") == {"answer": None}


def test_get_endpoints_returns_the_endpoints(probe: ComponentClient, scheduler: RecordingScheduler) -> None:
    endpoint = {"id": "e", "method": "POST", "path": "/api/sync", "handler": "sync", "schedulable": True}
    scheduler.set_response(200, {"endpoints": [endpoint]})
    assert probe.call_json("/scheduler/get_endpoints") == {"answer": [endpoint]}
    assert json.loads(scheduler.requests[0].body) == {"operation": "getEndpoints"}


def test_create_sends_its_fields(probe: ComponentClient, scheduler: RecordingScheduler) -> None:
    scheduler.set_response(201, {"success": True, "scheduleId": "new"})
    created = probe.call_json(
        "/scheduler/create_schedule", create_fields(endpoint="/api/sync", cron="0 3 * * *")
    )
    assert created == {
        "answer": {"success": True, "schedule_id": "new", "error": None, "field_errors": None},
    }
    assert json.loads(scheduler.requests[0].body) == {
        "operation": "create",
        "endpoint": "/api/sync",
        "cron": "0 3 * * *",
    }


def test_update_clears_with_empty_strings(probe: ComponentClient, scheduler: RecordingScheduler) -> None:
    updated = probe.call_json(
        "/scheduler/update_schedule", "s", create_fields(name="", payload="", enabled=False)
    )
    assert updated == {"answer": {"success": True, "error": None, "field_errors": None}}
    assert json.loads(scheduler.requests[0].body) == {
        "operation": "update",
        "scheduleId": "s",
        "name": None,
        "payload": None,
        "enabled": False,
    }


def test_delete_sends_the_schedule_id(probe: ComponentClient, scheduler: RecordingScheduler) -> None:
    assert probe.call_json("/scheduler/delete_schedule", "s") == {"answer": {"success": True, "error": None}}
    assert json.loads(scheduler.requests[0].body) == {"operation": "delete", "scheduleId": "s"}


def test_payload_is_sent_byte_for_byte(probe: ComponentClient, scheduler: RecordingScheduler) -> None:
    probe.call_json(
        "/scheduler/create_schedule", create_fields(endpoint="/a", cron="0 3 * * *", payload=PAYLOAD)
    )
    probe.call_json("/scheduler/update_schedule", "s", create_fields(payload=PAYLOAD))
    assert all(f'"payload":{PAYLOAD}' in call.body for call in scheduler.requests)


def test_payload_is_returned_byte_for_byte(probe: ComponentClient, scheduler: RecordingScheduler) -> None:
    text = json.dumps(SCHEDULE_JSON).replace('"payload": null', f'"payload": {PAYLOAD}')
    scheduler.set_response(200, f'{{"schedules": [ {text} , {text}]}}')
    (first, second) = probe.call_json("/scheduler/list_schedules")["answer"]
    assert first["payload"] == second["payload"] == PAYLOAD


@pytest.mark.parametrize("payload", ["", "{", "{} {}", '{"a": NaN}', "[" * 90_000])
def test_invalid_json_payload_is_not_sent(
    probe: ComponentClient, scheduler: RecordingScheduler, payload: str
) -> None:
    result = probe.call_json(
        "/scheduler/create_schedule", create_fields(endpoint="/a", cron="0 3 * * *", payload=payload)
    )
    assert result["answer"]["success"] is False
    assert result["answer"]["error"] == "Payload is not valid JSON"
    assert json.loads(result["answer"]["field_errors"])["payload"].startswith("Not valid JSON: ")
    assert scheduler.requests == []


def test_field_errors_reach_the_extension(probe: ComponentClient, scheduler: RecordingScheduler) -> None:
    body = {"success": False, "error": "Invalid timezone", "fieldErrors": {"timezone": "Invalid timezone"}}
    scheduler.set_response(400, {**body, "code": "VALIDATION_FAILED"})
    for function, arguments in (("create_schedule", ()), ("update_schedule", ("s",))):
        fields = create_fields(endpoint="/a", cron="0 3 * * *", timezone="Mars/Base")
        response = probe.call_json(f"/scheduler/{function}", *arguments, fields)["answer"]
        assert (response["success"], response["error"]) == (False, "Invalid timezone")
        assert json.loads(response["field_errors"]) == {"timezone": "Invalid timezone"}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, "VALIDATION_FAILED"),
        (401, "DENIED"),
        (403, "DENIED"),
        (404, "NOT_FOUND"),
        (429, "QUOTA_EXCEEDED"),
        (500, "INTERNAL"),
        (503, "INTERNAL"),
    ],
)
@pytest.mark.parametrize("call", [("list_schedules",), ("get_schedule", "s"), ("get_endpoints",)])
def test_status_becomes_an_error_case(
    probe: ComponentClient, scheduler: RecordingScheduler, status: int, error: str, call: tuple[str, ...]
) -> None:
    scheduler.set_response(status, {"error": "no"})
    assert probe.call_json(f"/scheduler/{call[0]}", *call[1:]) == {"error": error}


@pytest.mark.parametrize("body", ["", "<html>", "{}", "[]", '{"schedules": 3}', '{"schedules": [3]}'])
def test_malformed_response_is_an_internal_error(
    probe: ComponentClient, scheduler: RecordingScheduler, body: str
) -> None:
    scheduler.set_response(200, body)
    assert probe.call_json("/scheduler/list_schedules") == {"error": "INTERNAL"}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"success": False, "error": "Too many schedules (max 50 per extension install)"}, None),
        ({"message": "Forbidden"}, "The scheduler answered 403"),
        ("<html>", "The scheduler answered 403"),
        ([], "The scheduler answered 403"),
    ],
)
def test_refused_change_has_a_reason(
    probe: ComponentClient, scheduler: RecordingScheduler, body: Any, error: str | None
) -> None:
    scheduler.set_response(403, body)
    response = probe.call_json("/scheduler/delete_schedule", "s")["answer"]
    assert response == {"success": False, "error": error or body["error"]}


def test_nothing_is_sent_without_the_capability(
    probe: ComponentClient, scheduler: RecordingScheduler
) -> None:
    providers = ["cap:context.read"]
    for call in (("list_schedules",), ("get_schedule", "s"), ("get_endpoints",)):
        assert probe.call_json(f"/scheduler/{call[0]}", *call[1:], providers=providers) == {"error": "DENIED"}
    for change in (
        ("create_schedule", create_fields(endpoint="/a", cron="0 3 * * *", payload="{")),
        ("update_schedule", "s", create_fields()),
        ("delete_schedule", "s"),
    ):
        response = probe.call_json(f"/scheduler/{change[0]}", *change[1:], providers=providers)["answer"]
        assert (response["success"], response["error"]) == (False, DENIED)
    assert scheduler.requests == []


def test_nothing_is_sent_without_an_install(probe: ComponentClient, scheduler: RecordingScheduler) -> None:
    request = probe.create_request("POST", "/scheduler/list_schedules", body=b"[]")
    del request["context"]["install_id"]
    assert probe.post_request(request).json() == {"error": "DENIED"}
    assert scheduler.requests == []


def test_capabilities_are_compared_trimmed_and_case_folded(
    probe: ComponentClient, scheduler: RecordingScheduler
) -> None:
    scheduler.set_response(200, {"schedules": []})
    providers = ["  CAP:Scheduler.Manage "]
    assert probe.call_json("/scheduler/list_schedules", providers=providers) == {"answer": []}


def test_callback_times_out_with_the_execution(probe: ComponentClient, scheduler: RecordingScheduler) -> None:
    scheduler.hold_requests()
    executed = probe.execute_request("POST", "/scheduler/list_schedules", body=b"[]", timeout_ms=300)
    assert not scheduler.hold_expired  # the runner did not wait for the response
    # The callback and the execution time out at the same moment; either may be first.
    timed_out = (500, "execute_failed: the extension took longer than 300 ms")
    assert executed.response["error"] is None or executed.failure == timed_out


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        pytest.param("payload", Oversized(36_000_000), "Payload too large", id="payload"),
        pytest.param("name", Oversized(36_000_000), "Name too long", id="name"),
        pytest.param("name", "x" * 65_537, "Name too long", id="name that was read"),
        pytest.param("cron", Oversized(36_000_000), "cron is too long", id="cron"),
        pytest.param("endpoint", "x" * 65_537, "endpoint is too long", id="endpoint"),
        pytest.param("timezone", Oversized(36_000_000), "timezone is too long", id="time zone"),
    ],
)
def test_field_too_large_is_refused_before_it_is_parsed_or_sent(field: str, value: object, text: str) -> None:
    scheduler, sent = record_scheduler()
    for result in (
        scheduler.create_schedule(build_record(**{"endpoint": "/a", "cron": "0 3 * * *", field: value})),
        scheduler.update_schedule("s", build_record(**{field: value})),
    ):
        assert (result.success, result.error) == (False, text)
        assert json.loads(getattr(result, "field-errors")) == {field: text}
    assert sent == []


def test_schedule_id_too_large_is_refused() -> None:
    scheduler, sent = record_scheduler()
    huge = cast(str, Oversized(36_000_000))
    assert scheduler.get_schedule(huge) == "validation-failed"
    assert scheduler.delete_schedule(huge).error == "scheduleId is too long"
    assert scheduler.update_schedule(huge, build_record()).error == "scheduleId is too long"
    assert sent == []


def test_calls_beyond_the_budget_are_refused() -> None:
    scheduler, sent = record_scheduler(max_calls=2)
    assert scheduler.get_endpoints() == []
    assert scheduler.delete_schedule("s").success is False  # the scheduler's response
    assert scheduler.list_schedules() == scheduler.get_schedule("s") == "quota-exceeded"
    for result in (scheduler.create_schedule(build_record()), scheduler.delete_schedule("s")):
        assert (result.success, result.error) == (False, "Too many scheduler calls (max 2 per run)")
    assert len(sent) == 2


def test_refused_call_takes_nothing_of_the_budget() -> None:
    scheduler, sent = record_scheduler(max_calls=1)
    scheduler.create_schedule(build_record(payload="{"))
    scheduler.create_schedule(build_record(payload=Oversized(36_000_000)))
    assert scheduler.get_endpoints() == []
    assert len(sent) == 1


def record_scheduler(max_calls: int = 100) -> tuple[Any, list[str]]:
    """Return the host interface, and the list to which it adds each body that it sends."""
    sent: list[str] = []

    def post(body: str) -> CallbackResponse:
        sent.append(body)
        return CallbackResponse(200, '{"endpoints": []}')

    return HostScheduler(post, max_calls), sent


def test_response_of_the_scheduler_has_a_largest_size(
    probe: ComponentClient, scheduler: RecordingScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler.set_response(200, {"schedules": [SCHEDULE_JSON]})
    monkeypatch.setattr(callback, "MAX_RESPONSE_BYTES", 100)
    assert probe.call_json("/scheduler/list_schedules") == {"error": "INTERNAL"}
    monkeypatch.undo()
    assert probe.call_json("/scheduler/list_schedules") == {"answer": [SCHEDULE_INFO]}
