"""The runner's callback, as deployed runners call it (contract, section 1)."""

import re
from uuid import UUID

import pytest

from tests.support.stacks.local_stack import ApiInstall, LocalStack
from tests.support.stacks.world import UNKNOWN_SCHEDULE_ID

SCHEDULE_FIELDS = {
    "id",
    "endpointPath",
    "endpointMethod",
    "name",
    "cron",
    "timezone",
    "enabled",
    "payload",
    "lastRunAt",
    "lastRunStatus",
    "lastError",
    "lastSuccessAt",
    "consecutiveFailures",
    "createdAt",
    "nextFireAt",
}


def test_create_returns_success_and_id(install: ApiInstall) -> None:
    response = install.call_callback("create", endpoint="/api/sync", cron="0 * * * *")

    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert set(body) == {"success", "scheduleId"}
    assert body["success"] is True
    assert UUID(body["scheduleId"]).version == 4


def test_get_returns_every_field_of_the_schedule(install: ApiInstall) -> None:
    schedule_id = install.create_schedule(
        name=" nightly ", timezone="Europe/Berlin", payload={"a": [1, None]}
    )

    response = install.call_callback("get", scheduleId=schedule_id)

    assert response.status_code == 200
    schedule = response.json()["schedule"]
    assert set(schedule) == SCHEDULE_FIELDS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", schedule.pop("createdAt"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:00:00Z", schedule.pop("nextFireAt"))
    assert schedule == {
        "id": schedule_id,
        "endpointPath": "/api/sync",
        "endpointMethod": "POST",
        "name": "nightly",
        "cron": "0 * * * *",
        "timezone": "Europe/Berlin",
        "enabled": True,
        "payload": {"a": [1, None]},
        "lastRunAt": None,
        "lastRunStatus": None,
        "lastError": None,
        "lastSuccessAt": None,
        "consecutiveFailures": 0,
    }


def test_get_of_an_absent_schedule_is_null(install: ApiInstall) -> None:
    response = install.call_callback("get", scheduleId=UNKNOWN_SCHEDULE_ID)

    assert (response.status_code, response.json()) == (200, {"schedule": None})


def test_list_is_oldest_first(install: ApiInstall) -> None:
    created = []
    for minute in range(3):
        created.append(install.create_schedule(cron=f"{minute} * * * *"))
        install.stack.advance_clock("PT1S")

    response = install.call_callback("list")

    assert response.status_code == 200
    assert [schedule["id"] for schedule in response.json()["schedules"]] == created


def test_update_changes_sent_fields_and_clears_with_null(install: ApiInstall) -> None:
    schedule_id = install.create_schedule(name="nightly", payload=[1])

    first = install.call_callback("update", scheduleId=schedule_id, cron="5 * * * *", enabled=False)
    assert (first.status_code, first.json()) == (200, {"success": True})
    schedule = install.read_schedule(schedule_id)
    assert (schedule["cron"], schedule["enabled"], schedule["name"], schedule["payload"]) == (
        "5 * * * *",
        False,
        "nightly",
        [1],
    )

    install.call_callback("update", scheduleId=schedule_id, name=None, payload=None)
    schedule = install.read_schedule(schedule_id)
    assert (schedule["name"], schedule["payload"]) == (None, None)


def test_delete_returns_success_once(install: ApiInstall) -> None:
    schedule_id = install.create_schedule()

    first = install.call_callback("delete", scheduleId=schedule_id)
    second = install.call_callback("delete", scheduleId=schedule_id)

    assert (first.status_code, first.json()) == (200, {"success": True})
    assert second.status_code == 400
    assert second.json() == {"success": False, "error": "Schedule not found", "code": "NOT_FOUND"}
    assert install.read_timer(schedule_id) is None


def test_endpoints_are_ordered_by_path_then_method_with_stable_ids(
    stack: LocalStack, install: ApiInstall
) -> None:
    response = install.call_callback("getEndpoints")

    assert response.status_code == 200
    endpoints = response.json()["endpoints"]
    assert [(e["method"], e["path"], e["handler"], e["schedulable"]) for e in endpoints] == [
        ("GET", "/api/both", "both_get", True),
        ("POST", "/api/both", "both_post", True),
        ("GET", "/api/items/:id", "item", False),
        ("POST", "/api/sync", "sync", True),
    ]
    assert all(UUID(endpoint["id"]).version == 5 for endpoint in endpoints)
    assert stack.register_install().call_callback("getEndpoints").json()["endpoints"] == endpoints


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_change_of_absent_schedule_is_refused(install: ApiInstall, operation: str) -> None:
    response = install.call_callback(operation, scheduleId=UNKNOWN_SCHEDULE_ID)

    assert response.status_code == 400
    assert response.json() == {"success": False, "error": "Schedule not found", "code": "NOT_FOUND"}


def test_taken_name_is_refused(install: ApiInstall) -> None:
    install.create_schedule(name="nightly")

    response = install.call_callback("create", endpoint="/api/sync", cron="0 * * * *", name=" nightly")

    text = "Schedule name already in use for this extension"
    assert response.status_code == 400
    body = response.json()
    assert (body["success"], body["error"], body["fieldErrors"]) == (False, text, {"name": text})


def test_broken_rule_names_its_field(install: ApiInstall) -> None:
    response = install.call_callback("create", endpoint="/api/none", cron="0 * * * *")

    text = "Endpoint not found or not schedulable"
    assert response.status_code == 400
    assert response.json() == {
        "success": False,
        "error": text,
        "fieldErrors": {"endpoint": text},
        "code": "VALIDATION_FAILED",
    }


def test_missing_token_is_refused(stack: LocalStack, install: ApiInstall) -> None:
    response = stack.api.post(
        install.callback_path, json={"operation": "list"}, headers={"x-runner-auth": ""}
    )

    assert response.status_code == 403


def test_wrong_token_is_refused(stack: LocalStack, install: ApiInstall) -> None:
    response = stack.api.post(
        install.callback_path, json={"operation": "list"}, headers={"x-runner-auth": "no"}
    )

    assert response.status_code == 403


@pytest.mark.parametrize("operation", ["list", "get", "create", "update", "delete", "getEndpoints"])
def test_call_without_granted_capability_is_refused(stack: LocalStack, operation: str) -> None:
    install = stack.register_install(grantedCapabilities=[])
    fields = {"scheduleId": UNKNOWN_SCHEDULE_ID} if operation in ("get", "update", "delete") else {}

    response = install.call_callback(operation, **fields)

    assert (response.status_code, response.json()["code"]) == (403, "CAPABILITY_DENIED")


@pytest.mark.parametrize("operation", ["list", "get", "create", "update", "delete", "getEndpoints"])
@pytest.mark.parametrize("state", ["unknown", "disabled"])
def test_absent_or_disabled_install_is_not_found(stack: LocalStack, operation: str, state: str) -> None:
    install = (
        ApiInstall(stack, UNKNOWN_SCHEDULE_ID)
        if state == "unknown"
        else stack.register_install(enabled=False)
    )
    fields = {"scheduleId": UNKNOWN_SCHEDULE_ID} if operation in ("get", "update", "delete") else {}

    response = install.call_callback(operation, **fields)

    assert (response.status_code, response.json()) == (
        404,
        {"error": "Install not found", "code": "NOT_FOUND"},
    )


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(b"", "The body is not valid: Not valid JSON: it ends too early", id="empty body"),
        pytest.param(b"{", "The body is not valid: Not valid JSON: it ends too early", id="not JSON"),
        pytest.param(
            b"\xff\xfe",
            "The body is not valid: ",
            id="not UTF-8",
            marks=pytest.mark.local_only("`sam local` itself answers 502"),
        ),
        pytest.param(b"[]", "The body must be a JSON object", id="array"),
        pytest.param(b'"list"', "The body must be a JSON object", id="string"),
        pytest.param(b"{}", "operation is required", id="missing operation"),
        pytest.param(b'{"operation":null}', "operation is required", id="null operation"),
        pytest.param(b'{"operation":"LIST"}', "Unknown operation", id="unknown operation"),
        pytest.param(b'{"operation":1}', "Unknown operation", id="operation of wrong type"),
        pytest.param(b'{"operation":"get"}', "scheduleId is required", id="missing schedule id"),
        pytest.param(b'{"operation":"get","scheduleId":7}', "Invalid scheduleId", id="id of wrong type"),
        pytest.param(
            b'{"operation":"delete","scheduleId":"x"}', "Invalid scheduleId", id="id that is not a UUID"
        ),
        pytest.param(b'{"operation":"create"}', "endpoint is required", id="create without fields"),
        pytest.param(
            b'{"operation":"create","endpoint":"/api/sync","cron":["*"]}',
            "cron must be a string",
            id="field of wrong type",
        ),
        pytest.param(
            b'{"operation":"list","operation":"list"}',
            "The body is not valid: An object has",
            id="repeated name",
        ),
        pytest.param(
            b'{"operation":' + b"[" * 100_000, "The body is not valid: Nested deeper", id="deeply nested"
        ),
        pytest.param(
            b'{"operation":"create","endpoint":"/api/sync","cron":"0 * * * *","name":"\\ud800"}',
            "The body is not valid: Text with a lone surrogate",
            id="lone surrogate",
        ),
    ],
)
def test_malformed_request_is_refused(
    stack: LocalStack, install: ApiInstall, body: bytes, error: str
) -> None:
    response = stack.api.post(install.callback_path, content=body)

    assert response.status_code == 400
    assert response.json()["success"] is False
    assert response.json()["error"].startswith(error)
    assert response.json()["code"] == "VALIDATION_FAILED"
