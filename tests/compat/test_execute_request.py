"""The request to a deployed runner (contract, section 6)."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from local.settings import PROJECT_ROOT
from tests.support.stacks.deployed_runner import DeployedRunner
from tests.support.stacks.local_stack import ApiInstall, LocalStack, fire_statuses, wait_for
from tests.support.stacks.scripted_runner import RunnerRequest, extension_response
from tests.support.stacks.world import registration_body

ENVELOPE = {"ciphertext_b64": "c2VjcmV0", "algorithm": "aes-256-gcm", "key_path": "transit/keys/extension"}


def fire_once(stack: LocalStack, schedule_id: str) -> RunnerRequest:
    """Fire the schedule's next occurrence, which must succeed, and return the request to the runner."""
    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["success"]
    (request,) = stack.runner.requests_for_schedule(schedule_id)
    return request


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"endpoint": "POST /api/sync"}, id="POST"),
        pytest.param({"endpoint": "POST /api/sync", "payload": {"a": [1, None]}}, id="POST with payload"),
        pytest.param({"endpoint": "GET /api/both"}, id="GET"),
        pytest.param({"endpoint": "GET /api/both", "payload": [1]}, id="GET with payload"),
        pytest.param({"timezone": "Europe/Berlin", "name": "Ärger 日本語"}, id="zone and name"),
    ],
)
@pytest.mark.parametrize(
    "registration",
    [
        pytest.param({}, id="without secrets"),
        pytest.param({"secretEnvelope": None, "config": None}, id="null secrets and config"),
        pytest.param({"secretEnvelope": {}, "config": {}}, id="empty secrets and config"),
        pytest.param({"secretEnvelope": ENVELOPE, "config": {"region": "eu"}}, id="with secrets"),
    ],
)
def test_deployed_runner_executes_every_fire(
    stack: LocalStack, runner: DeployedRunner, registration: dict[str, Any], fields: dict[str, Any]
) -> None:
    install = stack.register_install(**registration)
    schedule_id = install.create_schedule(**fields)

    request = fire_once(stack, schedule_id)

    assert runner.executions_of(schedule_id) == [request]
    assert install.list_runs(schedule_id)[0]["status"] == "success"


@pytest.mark.parametrize("fields", [{}, {"secretEnvelope": None}, {"secretEnvelope": {}}], ids=str)
def test_install_without_secrets_has_no_envelope(
    stack: LocalStack, runner: DeployedRunner, fields: dict[str, Any]
) -> None:
    schedule_id = stack.register_install(**fields).create_schedule()

    request = fire_once(stack, schedule_id)

    assert "secret_envelope" not in request.body
    assert request.body["context"]["config"] == {}
    assert runner.executions_of(schedule_id)


def test_envelope_is_sent_unchanged(stack: LocalStack, runner: DeployedRunner) -> None:
    schedule_id = stack.register_install(secretEnvelope=ENVELOPE).create_schedule()

    request = fire_once(stack, schedule_id)

    assert request.body["secret_envelope"] == ENVELOPE
    assert runner.executions_of(schedule_id)


@pytest.mark.parametrize(
    "envelope",
    [
        pytest.param({"ciphertext": "abc"}, id="no ciphertext_b64"),
        pytest.param({"ciphertext_b64": 1}, id="ciphertext of wrong type"),
        pytest.param({"ciphertext_b64": "abc", "version": 1}, id="version of wrong type"),
        pytest.param("abc", id="string"),
        pytest.param(["abc"], id="array"),
    ],
)
def test_envelope_that_no_runner_takes_is_refused_at_registration(
    stack: LocalStack, install: ApiInstall, envelope: object
) -> None:
    response = stack.api.put(f"/admin{install.path}", json=registration_body(secretEnvelope=envelope))

    assert (response.status_code, response.json()["code"]) == (400, "VALIDATION_FAILED")


def test_config_values_are_sent_as_strings(stack: LocalStack, runner: DeployedRunner) -> None:
    values = {
        "text": ('"eu \\"quoted\\" é"', 'eu "quoted" é'),
        "text like JSON": ('"[1]"', "[1]"),
        "empty": ('""', ""),
        "null": ("null", ""),
        "true": ("true", "true"),
        "false": ("false", "false"),
        "integer": ("7", "7"),
        "large integer": ("12345678901234567890123", "12345678901234567890123"),
        "number": ("2.50", "2.50"),
        "array": ('[1, "a", null]', '[1,"a",null]'),
        "object": ('{"a": {"b": 1.0}}', '{"a":{"b":1.0}}'),
    }
    config = ",".join(f"{json.dumps(name)}:{text}" for name, (text, _) in values.items())
    body = json.dumps(registration_body(config="CONFIG")).replace('"CONFIG"', f"{{{config}}}")
    install = stack.register_install()
    assert stack.api.put(f"/admin{install.path}", content=body.encode()).status_code == 200
    schedule_id = install.create_schedule()

    request = fire_once(stack, schedule_id)

    assert request.body["context"]["config"] == {name: sent for name, (_, sent) in values.items()}
    assert runner.executions_of(schedule_id)


def test_providers_are_the_granted_capabilities_that_runners_know(
    stack: LocalStack, runner: DeployedRunner
) -> None:
    body = registration_body()
    manifest = {
        **body["manifest"],
        "capabilities": ["cap:scheduler.manage", "cap:http.fetch", "cap:client.read"],
    }
    install = stack.register_install(
        manifest={**manifest, "version": "4.0.0"},
        versionId="version-4",
        grantedCapabilities=["cap:scheduler.manage", " CAP:client.read "],
    )

    request = fire_once(stack, install.create_schedule())

    assert request.body["providers"] == [
        "cap:client.read",
        "cap:context.read",
        "cap:log.emit",
        "cap:scheduler.manage",
        "cap:user.read",
    ]
    assert runner.executions


def test_capability_that_no_runner_knows_is_ignored_at_registration(
    stack: LocalStack, runner: DeployedRunner
) -> None:
    manifest = registration_body()["manifest"]
    capabilities = ["cap:scheduler.manage", "cap:teleport"]
    body = registration_body(
        manifest={**manifest, "version": "5.0.0", "capabilities": capabilities},
        versionId="version-5",
        grantedCapabilities=capabilities,
    )
    install = stack.register_install()

    response = stack.api.put(f"/admin{install.path}", json=body)

    assert response.json()["ignoredCapabilities"] == ["cap:teleport"]
    schedule_id = install.create_schedule()
    assert "cap:teleport" not in fire_once(stack, schedule_id).body["providers"]
    assert runner.executions_of(schedule_id)


def occurrence_headers(request: RunnerRequest) -> Mapping[str, str]:
    return {
        name.removeprefix("x-alga-"): value
        for name, value in request.body["http"]["headers"].items()
        if name not in ("x-alga-tenant", "x-alga-extension")
    }


def test_extension_learns_its_occurrence_and_attempt(
    stack: LocalStack, runner: DeployedRunner, install: ApiInstall
) -> None:
    schedule_id = install.create_schedule()
    runner.extension = lambda _request: extension_response(500)

    (fired,) = [each for each in stack.advance_clock("PT1H") if each["scheduleId"] == schedule_id]

    occurrence = {
        "schedule-id": schedule_id,
        "scheduled-for": fired["scheduledTime"],
        "trigger": "schedule",
    }
    assert [occurrence_headers(each) for each in stack.runner.requests_for_schedule(schedule_id)] == [
        {**occurrence, "attempt": str(number)} for number in (1, 2, 3)
    ]


def test_extension_learns_that_a_run_is_manual(
    stack: LocalStack, runner: DeployedRunner, install: ApiInstall
) -> None:
    schedule_id = install.create_schedule()

    response = stack.api.post(f"/admin{install.path}/schedules/{schedule_id}/run")
    wait_for(lambda: runner.executions_of(schedule_id), bool)

    (request,) = runner.executions_of(schedule_id)
    assert occurrence_headers(request) == {
        "schedule-id": schedule_id,
        "scheduled-for": response.json()["scheduledTime"],
        "attempt": "1",
        "trigger": "manual",
    }


def test_request_id_of_each_attempt_is_new_and_the_last_is_in_the_history(
    stack: LocalStack, runner: DeployedRunner, install: ApiInstall
) -> None:
    schedule_id = install.create_schedule()
    responses = [extension_response(500), extension_response()]
    runner.extension = lambda _request: responses.pop(0)

    stack.advance_clock("PT1H")

    first, second = (each.headers["x-request-id"] for each in stack.runner.requests_for_schedule(schedule_id))
    assert first != second
    assert install.list_runs(schedule_id)[0]["requestId"] == second


def test_request_id_is_in_the_log_of_the_functions(
    stack: LocalStack, runner: DeployedRunner, install: ApiInstall
) -> None:
    schedule_id = install.create_schedule()

    request = fire_once(stack, schedule_id)

    port = stack.control.base_url.port
    log = (PROJECT_ROOT / "build" / "local" / "logs" / str(port) / "functions.log").read_text()
    lines = [line for line in log.splitlines() if request.headers["x-request-id"] in line]
    assert any(schedule_id in line for line in lines)
    assert runner.executions_of(schedule_id)


def test_payload_reaches_the_extension_exactly(
    stack: LocalStack, runner: DeployedRunner, install: ApiInstall
) -> None:
    payload = '{"n":12345678901234567890123,"price":2.50,"s":"é","":[null,true]}'
    body = f'{{"operation":"create","endpoint":"/api/sync","cron":"0 * * * *","payload":{payload}}}'
    schedule_id = stack.api.post(install.callback_path, content=body.encode()).json()["scheduleId"]

    request = fire_once(stack, schedule_id)

    assert base64.b64decode(request.body["http"]["body_b64"]).decode() == payload
    assert runner.executions_of(schedule_id)
