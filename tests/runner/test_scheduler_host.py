"""The host interface `scheduler`, called from a real component against a recording callback API."""

import json
from typing import Any

import pytest

from tests.support.component_client import INSTALL_ID, RunnerClient
from tests.support.component_scheduler import INFO, SCHEDULE, RecordingScheduler

DENIED = "Permission denied: cap:scheduler.manage not granted"
PAYLOAD = '{"big": 12345678901234567890123, "one":1.0, "huge":1e400, "text":"süß \\ud83d\\ude80", "n":-0.0}'


def given(**fields: object) -> dict[str, object]:
    """An input record, absent where not given."""
    return {
        **dict.fromkeys(("endpoint", "cron", "timezone", "enabled", "name", "payload")),
        **fields,
    }


def test_a_call_goes_out_as_the_contract_says(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    scheduler.answers(200, {"schedules": [SCHEDULE]})
    assert probe.call("/scheduler/list_schedules") == {"answer": [INFO]}
    (call,) = scheduler.requests
    assert call.path == f"/api/internal/ext-scheduler/install/{INSTALL_ID}"
    assert json.loads(call.body) == {"operation": "list"}
    assert call.headers["content-type"] == "application/json"
    assert call.headers["x-runner-auth"] == "callback-token"
    assert call.headers["accept-encoding"] == "gzip"


def test_get(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    scheduler.answers(200, {"schedule": SCHEDULE})
    assert probe.call("/scheduler/get_schedule", SCHEDULE["id"]) == {"answer": INFO}
    assert json.loads(scheduler.requests[0].body) == {"operation": "get", "scheduleId": SCHEDULE["id"]}
    scheduler.answers(200, {"schedule": None})
    assert probe.call("/scheduler/get_schedule", "other") == {"answer": None}


def test_get_endpoints(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    endpoint = {"id": "e", "method": "POST", "path": "/api/sync", "handler": "sync", "schedulable": True}
    scheduler.answers(200, {"endpoints": [endpoint]})
    assert probe.call("/scheduler/get_endpoints") == {"answer": [endpoint]}
    assert json.loads(scheduler.requests[0].body) == {"operation": "getEndpoints"}


def test_create_sends_what_is_given(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    scheduler.answers(201, {"success": True, "scheduleId": "new"})
    made = probe.call("/scheduler/create_schedule", given(endpoint="/api/sync", cron="0 3 * * *"))
    assert made == {
        "answer": {"success": True, "schedule_id": "new", "error": None, "field_errors": None},
    }
    assert json.loads(scheduler.requests[0].body) == {
        "operation": "create",
        "endpoint": "/api/sync",
        "cron": "0 3 * * *",
    }


def test_update_clears_with_empty_strings(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    updated = probe.call("/scheduler/update_schedule", "s", given(name="", payload="", enabled=False))
    assert updated == {"answer": {"success": True, "error": None, "field_errors": None}}
    assert json.loads(scheduler.requests[0].body) == {
        "operation": "update",
        "scheduleId": "s",
        "name": None,
        "payload": None,
        "enabled": False,
    }


def test_delete(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    assert probe.call("/scheduler/delete_schedule", "s") == {"answer": {"success": True, "error": None}}
    assert json.loads(scheduler.requests[0].body) == {"operation": "delete", "scheduleId": "s"}


def test_a_payload_goes_out_byte_for_byte(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    probe.call("/scheduler/create_schedule", given(endpoint="/a", cron="0 3 * * *", payload=PAYLOAD))
    probe.call("/scheduler/update_schedule", "s", given(payload=PAYLOAD))
    assert all(f'"payload":{PAYLOAD}' in call.body for call in scheduler.requests)


def test_a_payload_comes_back_byte_for_byte(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    text = json.dumps(SCHEDULE).replace('"payload": null', f'"payload": {PAYLOAD}')
    scheduler.answers(200, f'{{"schedules": [ {text} , {text}]}}')
    (first, second) = probe.call("/scheduler/list_schedules")["answer"]
    assert first["payload"] == second["payload"] == PAYLOAD


@pytest.mark.parametrize("payload", ["", "{", "{} {}", '{"a": NaN}', "[" * 90_000])
def test_a_payload_that_is_not_json_is_not_sent(
    probe: RunnerClient, scheduler: RecordingScheduler, payload: str
) -> None:
    result = probe.call("/scheduler/create_schedule", given(endpoint="/a", cron="0 3 * * *", payload=payload))
    assert result["answer"]["success"] is False
    assert result["answer"]["error"] == "Payload is not valid JSON"
    assert json.loads(result["answer"]["field_errors"])["payload"].startswith("Not valid JSON: ")
    assert scheduler.requests == []


def test_field_errors_reach_the_extension(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    body = {"success": False, "error": "Invalid timezone", "fieldErrors": {"timezone": "Invalid timezone"}}
    scheduler.answers(400, {**body, "code": "VALIDATION_FAILED"})
    for function, arguments in (("create_schedule", ()), ("update_schedule", ("s",))):
        fields = given(endpoint="/a", cron="0 3 * * *", timezone="Mars/Base")
        answer = probe.call(f"/scheduler/{function}", *arguments, fields)["answer"]
        assert (answer["success"], answer["error"]) == (False, "Invalid timezone")
        assert json.loads(answer["field_errors"]) == {"timezone": "Invalid timezone"}


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
def test_statuses_become_errors(
    probe: RunnerClient, scheduler: RecordingScheduler, status: int, error: str, call: tuple[str, ...]
) -> None:
    scheduler.answers(status, {"error": "no"})
    assert probe.call(f"/scheduler/{call[0]}", *call[1:]) == {"error": error}


@pytest.mark.parametrize("body", ["", "<html>", "{}", "[]", '{"schedules": 3}', '{"schedules": [3]}'])
def test_a_strange_answer_is_an_internal_error(
    probe: RunnerClient, scheduler: RecordingScheduler, body: str
) -> None:
    scheduler.answers(200, body)
    assert probe.call("/scheduler/list_schedules") == {"error": "INTERNAL"}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"success": False, "error": "Too many schedules (max 50 per extension install)"}, None),
        ({"message": "Forbidden"}, "The scheduler answered 403"),
        ("<html>", "The scheduler answered 403"),
        ([], "The scheduler answered 403"),
    ],
)
def test_a_refused_change_says_why(
    probe: RunnerClient, scheduler: RecordingScheduler, body: Any, error: str | None
) -> None:
    scheduler.answers(403, body)
    answer = probe.call("/scheduler/delete_schedule", "s")["answer"]
    assert answer == {"success": False, "error": error or body["error"]}


def test_without_the_capability_nothing_is_sent(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    providers = ["cap:context.read"]
    for call in (("list_schedules",), ("get_schedule", "s"), ("get_endpoints",)):
        assert probe.call(f"/scheduler/{call[0]}", *call[1:], providers=providers) == {"error": "DENIED"}
    for change in (
        ("create_schedule", given(endpoint="/a", cron="0 3 * * *", payload="{")),
        ("update_schedule", "s", given()),
        ("delete_schedule", "s"),
    ):
        answer = probe.call(f"/scheduler/{change[0]}", *change[1:], providers=providers)["answer"]
        assert (answer["success"], answer["error"]) == (False, DENIED)
    assert scheduler.requests == []


def test_without_an_install_nothing_is_sent(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    request = probe.request("POST", "/scheduler/list_schedules", body=b"[]")
    del request["context"]["install_id"]
    assert probe.post(request).json() == {"error": "DENIED"}
    assert scheduler.requests == []


def test_capabilities_are_compared_trimmed_and_case_folded(
    probe: RunnerClient, scheduler: RecordingScheduler
) -> None:
    scheduler.answers(200, {"schedules": []})
    providers = ["  CAP:Scheduler.Manage "]
    assert probe.call("/scheduler/list_schedules", providers=providers) == {"answer": []}


def test_a_callback_ends_with_the_executions_time(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    scheduler.hold_requests()
    executed = probe.execute("POST", "/scheduler/list_schedules", body=b"[]", timeout_ms=300)
    assert not scheduler.hold_expired  # it did not wait for the answer
    # The call gives up at the very moment when the time is over; either may be first.
    assert executed.http_status == 504 or executed.json() == {"error": "INTERNAL"}
