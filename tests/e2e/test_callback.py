"""Contract section 1, as deployed runners know it."""

import re
from uuid import UUID

import pytest

from tests.support.local_stack import ApiInstall, LocalStack

ABSENT = "01a20745-4897-4f81-a91e-a0d09962b8d6"
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
    "createdAt",
}


def test_create_answers_success_and_the_id(install: ApiInstall) -> None:
    answer = install.call("create", endpoint="/api/sync", cron="0 * * * *")

    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"success", "scheduleId"}
    assert body["success"] is True
    assert UUID(body["scheduleId"]).version == 4


def test_get_answers_every_field_of_the_schedule(install: ApiInstall) -> None:
    schedule_id = install.created(name=" nightly ", timezone="Europe/Berlin", payload={"a": [1, None]})

    answer = install.call("get", scheduleId=schedule_id)

    assert answer.status_code == 200
    schedule = answer.json()["schedule"]
    assert set(schedule) == SCHEDULE_FIELDS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", schedule.pop("createdAt"))
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
    }


def test_get_of_an_absent_schedule_is_null(install: ApiInstall) -> None:
    answer = install.call("get", scheduleId=ABSENT)

    assert (answer.status_code, answer.json()) == (200, {"schedule": None})


def test_list_is_oldest_first(install: ApiInstall) -> None:
    created = []
    for minute in range(3):
        created.append(install.created(cron=f"{minute} * * * *"))
        install.stack.travel("PT1S")

    answer = install.call("list")

    assert answer.status_code == 200
    assert [schedule["id"] for schedule in answer.json()["schedules"]] == created


def test_update_changes_what_is_given_and_clears_with_null(install: ApiInstall) -> None:
    schedule_id = install.created(name="nightly", payload=[1])

    first = install.call("update", scheduleId=schedule_id, cron="5 * * * *", enabled=False)
    assert (first.status_code, first.json()) == (200, {"success": True})
    schedule = install.schedule(schedule_id)
    assert (schedule["cron"], schedule["enabled"], schedule["name"], schedule["payload"]) == (
        "5 * * * *",
        False,
        "nightly",
        [1],
    )

    install.call("update", scheduleId=schedule_id, name=None, payload=None)
    schedule = install.schedule(schedule_id)
    assert (schedule["name"], schedule["payload"]) == (None, None)


def test_delete_answers_success_once(install: ApiInstall) -> None:
    schedule_id = install.created()

    first = install.call("delete", scheduleId=schedule_id)
    again = install.call("delete", scheduleId=schedule_id)

    assert (first.status_code, first.json()) == (200, {"success": True})
    assert again.status_code == 400
    assert again.json() == {"success": False, "error": "Schedule not found", "code": "NOT_FOUND"}
    assert install.timer(schedule_id) is None


def test_get_endpoints_is_by_path_then_method_with_stable_ids(stack: LocalStack, install: ApiInstall) -> None:
    answer = install.call("getEndpoints")

    assert answer.status_code == 200
    endpoints = answer.json()["endpoints"]
    assert [(e["method"], e["path"], e["handler"], e["schedulable"]) for e in endpoints] == [
        ("GET", "/api/both", "both_get", True),
        ("POST", "/api/both", "both_post", True),
        ("GET", "/api/items/:id", "item", False),
        ("POST", "/api/sync", "sync", True),
    ]
    assert all(UUID(endpoint["id"]).version == 5 for endpoint in endpoints)
    assert stack.register().call("getEndpoints").json()["endpoints"] == endpoints


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_an_absent_schedule_is_a_broken_rule(install: ApiInstall, operation: str) -> None:
    answer = install.call(operation, scheduleId=ABSENT)

    assert answer.status_code == 400
    assert answer.json() == {"success": False, "error": "Schedule not found", "code": "NOT_FOUND"}


def test_a_taken_name(install: ApiInstall) -> None:
    install.created(name="nightly")

    answer = install.call("create", endpoint="/api/sync", cron="0 * * * *", name=" nightly")

    text = "Schedule name already in use for this extension"
    assert answer.status_code == 400
    body = answer.json()
    assert (body["success"], body["error"], body["fieldErrors"]) == (False, text, {"name": text})


def test_a_broken_rule_names_its_field(install: ApiInstall) -> None:
    answer = install.call("create", endpoint="/api/none", cron="0 * * * *")

    text = "Endpoint not found or not schedulable"
    assert answer.status_code == 400
    assert answer.json() == {
        "success": False,
        "error": text,
        "fieldErrors": {"endpoint": text},
        "code": "VALIDATION_FAILED",
    }


def test_a_missing_token(stack: LocalStack, install: ApiInstall) -> None:
    answer = stack.api.post(install.callback_path, json={"operation": "list"}, headers={"x-runner-auth": ""})

    assert answer.status_code == 403


def test_a_wrong_token(stack: LocalStack, install: ApiInstall) -> None:
    answer = stack.api.post(
        install.callback_path, json={"operation": "list"}, headers={"x-runner-auth": "no"}
    )

    assert answer.status_code == 403


@pytest.mark.parametrize("operation", ["list", "get", "create", "update", "delete", "getEndpoints"])
def test_a_capability_not_granted(stack: LocalStack, operation: str) -> None:
    install = stack.register(grantedCapabilities=[])
    fields = {"scheduleId": ABSENT} if operation in ("get", "update", "delete") else {}

    answer = install.call(operation, **fields)

    assert (answer.status_code, answer.json()["code"]) == (403, "CAPABILITY_DENIED")


@pytest.mark.parametrize("operation", ["list", "get", "create", "update", "delete", "getEndpoints"])
@pytest.mark.parametrize("state", ["unknown", "disabled"])
def test_an_install_that_is_not_there(stack: LocalStack, operation: str, state: str) -> None:
    install = ApiInstall(stack, ABSENT) if state == "unknown" else stack.register(enabled=False)
    fields = {"scheduleId": ABSENT} if operation in ("get", "update", "delete") else {}

    answer = install.call(operation, **fields)

    assert (answer.status_code, answer.json()) == (404, {"error": "Install not found", "code": "NOT_FOUND"})


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(b"", "The body is not valid: Not valid JSON: it ends too early", id="none"),
        pytest.param(b"{", "The body is not valid: Not valid JSON: it ends too early", id="not JSON"),
        pytest.param(
            b"\xff\xfe",
            "The body is not valid: ",
            id="not UTF-8",
            marks=pytest.mark.local_only("`sam local` itself answers 502"),
        ),
        pytest.param(b"[]", "The body must be a JSON object", id="an array"),
        pytest.param(b'"list"', "The body must be a JSON object", id="a string"),
        pytest.param(b"{}", "operation is required", id="no operation"),
        pytest.param(b'{"operation":null}', "operation is required", id="null operation"),
        pytest.param(b'{"operation":"LIST"}', "Unknown operation", id="unknown operation"),
        pytest.param(b'{"operation":1}', "Unknown operation", id="operation of wrong type"),
        pytest.param(b'{"operation":"list","x":1}', "x is not a known field", id="unknown field"),
        pytest.param(b'{"operation":"get"}', "scheduleId is required", id="no schedule id"),
        pytest.param(b'{"operation":"get","scheduleId":7}', "Invalid scheduleId", id="id of wrong type"),
        pytest.param(b'{"operation":"delete","scheduleId":"x"}', "Invalid scheduleId", id="no UUID"),
        pytest.param(b'{"operation":"create"}', "endpoint is required", id="nothing to create"),
        pytest.param(
            b'{"operation":"create","endpoint":"/api/sync","cron":["*"]}',
            "cron must be a string",
            id="wrong type",
        ),
        pytest.param(
            b'{"operation":"list","operation":"list"}', "The body is not valid: An object has", id="twice"
        ),
        pytest.param(
            b'{"operation":' + b"[" * 100_000, "The body is not valid: Nested deeper", id="bottomless"
        ),
        pytest.param(
            b'{"operation":"create","endpoint":"/api/sync","cron":"0 * * * *","name":"\\ud800"}',
            "The body is not valid: Text with a lone surrogate",
            id="a lone surrogate",
        ),
    ],
)
def test_a_bad_request(stack: LocalStack, install: ApiInstall, body: bytes, error: str) -> None:
    answer = stack.api.post(install.callback_path, content=body)

    assert answer.status_code == 400
    assert answer.json()["success"] is False
    assert answer.json()["error"].startswith(error)
    assert answer.json()["code"] == "VALIDATION_FAILED"
