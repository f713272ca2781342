"""Fires by the local clock, with a scripted runner (contract, section 6)."""

import base64
import json
import threading
from pathlib import Path

import jwt
import pytest

from tests.support.stacks.local_stack import ApiInstall, LocalStack, fire_statuses, start_local_stack
from tests.support.stacks.scripted_runner import RunnerResponse, extension_response

PROVIDERS = ["cap:context.read", "cap:http.fetch", "cap:log.emit", "cap:scheduler.manage", "cap:user.read"]
"""The providers of an install that was granted two capabilities."""


@pytest.fixture
def granted_install(stack: LocalStack) -> ApiInstall:
    return stack.register_install(
        grantedCapabilities=["cap:scheduler.manage", "cap:http.fetch"],
        config=json.loads('{"region":"eu","ratio":1.0}'),
        secretEnvelope={"ciphertext_b64": "YWJj"},
    )


def test_runner_request_matches_the_contract(stack: LocalStack, granted_install: ApiInstall) -> None:
    schedule_id = granted_install.create_schedule(payload={"n": 12345678901234567890123, "s": "é"})

    (fired,) = [each for each in stack.advance_clock("PT1H") if each["scheduleId"] == schedule_id]

    (request,) = stack.runner.requests_for_schedule(schedule_id)
    assert request.headers["x-idempotency-key"] == f"{schedule_id}:{fired['scheduledTime']}"
    del request.body["context"]["callback_token"]
    assert request.body == {
        "context": {
            "request_id": request.headers["x-request-id"],
            "tenant_id": "tenant-1",
            "extension_id": "registry-1",
            "install_id": granted_install.id,
            "version_id": "version-1",
            "content_hash": "sha256:" + "0" * 64,
            "config": {"region": "eu", "ratio": "1.0"},
            "trigger": "schedule",
            "schedule_id": schedule_id,
            "scheduled_for": fired["scheduledTime"],
        },
        "http": {
            "method": "POST",
            "path": "/api/sync",
            "query": {},
            "headers": {
                "x-alga-tenant": "tenant-1",
                "x-alga-extension": "registry-1",
                "x-alga-schedule-id": schedule_id,
                "x-alga-scheduled-for": fired["scheduledTime"],
                "x-alga-attempt": "1",
                "x-alga-trigger": "schedule",
            },
            "body_b64": base64.b64encode('{"n":12345678901234567890123,"s":"é"}'.encode()).decode(),
        },
        "limits": {"timeout_ms": 30000},
        "providers": PROVIDERS,
        "secret_envelope": {"ciphertext_b64": "YWJj"},
    }


@pytest.mark.local_only("the stack whose runner containers reach makes a token")
def test_runner_gets_no_service_token_if_there_is_none(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule()

    stack.advance_clock("PT1H")

    (request,) = stack.runner.requests_for_schedule(schedule_id)
    assert "x-runner-service-token" not in request.headers


def test_runner_receives_callback_token_for_that_run(stack: LocalStack, granted_install: ApiInstall) -> None:
    schedule_id = granted_install.create_schedule()

    stack.advance_clock("PT1H")

    claims = jwt.decode(
        stack.runner.requests_for_schedule(schedule_id)[0].body["context"]["callback_token"],
        stack.read_callback_key(),
        algorithms=["HS256"],
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
    )
    assert claims == {
        "iss": "extension-scheduler-local",
        "aud": "extension-scheduler/callback",
        "iat": claims["iat"],
        "nbf": claims["iat"] - 5,
        "exp": claims["iat"] + 70,
        "install_id": granted_install.id,
        "tenant_id": "tenant-1",
        "capabilities": PROVIDERS,
    }


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"endpoint": "GET /api/both", "payload": [1]}, id="GET with payload"),
        pytest.param({"endpoint": "POST /api/both"}, id="POST without payload"),
    ],
)
def test_fire_without_payload_has_no_body(
    stack: LocalStack, install: ApiInstall, fields: dict[str, object]
) -> None:
    schedule_id = install.create_schedule(**fields)

    stack.advance_clock("PT1H")

    (request,) = stack.runner.requests_for_schedule(schedule_id)
    assert "body_b64" not in request.body["http"]
    assert "secret_envelope" not in request.body


@pytest.mark.local_only("functions in containers use the real time")
def test_success_is_in_the_history_and_on_the_schedule(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule()

    assert fire_statuses(stack.advance_clock("PT2H"), schedule_id) == ["success", "success"]

    newest, oldest = install.list_runs(schedule_id)
    assert newest["scheduledTime"] > oldest["scheduledTime"]
    assert set(newest) == {
        "scheduledTime",
        "trigger",
        "startedAt",
        "durationMs",
        "attempt",
        "status",
        "httpStatus",
        "error",
        "requestId",
    }
    assert (newest["status"], newest["attempt"], newest["httpStatus"], newest["error"]) == (
        "success",
        1,
        200,
        None,
    )
    requests = stack.runner.requests_for_schedule(schedule_id)
    assert [oldest["requestId"], newest["requestId"]] == [each.headers["x-request-id"] for each in requests]
    assert newest["startedAt"].replace(".000Z", "Z") == newest["scheduledTime"]
    schedule = install.read_schedule(schedule_id)
    assert (schedule["lastRunStatus"], schedule["lastError"]) == ("success", None)
    assert schedule["lastRunAt"] == newest["startedAt"]


def runner_error(text: str) -> RunnerResponse:
    """Return a response in which the runner speaks, not the extension."""
    return 200, json.dumps({"status": 500, "headers": {}, "body_b64": None, "error": text}).encode()


@pytest.mark.local_only("functions in containers delay attempts in real time")
@pytest.mark.parametrize(
    ("response", "error", "keys"),
    [
        pytest.param(extension_response(500), "The extension answered 500: nothing", 3, id="extension 500"),
        pytest.param((502, b'{"error":"trap"}'), "The runner answered 502", 1, id="runner 502"),
        pytest.param((422, b"missing field"), "The runner answered 422", 1, id="runner 422"),
        pytest.param((401, b""), "The runner answered 401", 1, id="runner 401"),
        pytest.param((302, b""), "The runner answered 302", 1, id="runner 302"),
        pytest.param(runner_error("engine_init_failed: no memory"), "engine_init_failed", 1, id="engine"),
        pytest.param(
            runner_error("execute_failed: wasm trap"), "execute_failed: wasm trap", 1, id="execute_failed"
        ),
    ],
)
def test_transient_failure_is_retried_three_times_then_dead_lettered(
    stack: LocalStack, install: ApiInstall, response: RunnerResponse, error: str, keys: int
) -> None:
    schedule_id = install.create_schedule()
    stack.receive_dead_letters()
    stack.runner.respond = lambda _request: response

    fired = stack.advance_clock("PT1H")
    stack.runner.respond = lambda _request: extension_response()
    next_fired = stack.advance_clock("PT1H")

    assert fire_statuses(fired, schedule_id) == ["error"]
    requests = stack.runner.requests_for_schedule(schedule_id)
    assert len(requests) == 4
    assert len({each.headers["x-idempotency-key"] for each in requests[:3]}) == keys
    assert fire_statuses(next_fired, schedule_id) == ["success"]
    succeeded, failed = install.list_runs(schedule_id)
    assert succeeded["status"] == "success"
    assert (failed["status"], failed["attempt"]) == ("error", 3)
    assert failed["error"] == error
    assert failed["requestId"] == requests[2].headers["x-request-id"]
    (dead_letter,) = [each for each in stack.receive_dead_letters() if each["scheduleId"] == schedule_id]
    assert (dead_letter["scheduledTime"], dead_letter["replay"]) == (failed["scheduledTime"], True)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        pytest.param((200, b"<html>"), "The runner's answer is not understood", id="not JSON"),
        pytest.param((200, b"[]"), "The runner's answer is not understood", id="not an object"),
        pytest.param(
            (200, b'{"status":"200"}'), "The runner's answer is not understood", id="status as text"
        ),
        pytest.param((200, b""), "The runner's answer is not understood", id="empty"),
        pytest.param((200, b" " * 300_000), "The runner's answer is larger than 256 KiB", id="300 KB"),
        pytest.param(runner_error("missing_routing_headers"), "missing_routing_headers", id="headers"),
        pytest.param(
            runner_error("unknown_capabilities: cap:new"), "unknown_capabilities", id="capabilities"
        ),
    ],
)
def test_unusable_response_is_not_retried(
    stack: LocalStack, install: ApiInstall, response: RunnerResponse, error: str
) -> None:
    schedule_id = install.create_schedule()
    stack.receive_dead_letters()
    stack.runner.respond = lambda _request: response

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["error"]

    assert len(stack.runner.requests_for_schedule(schedule_id)) == 1
    assert install.read_schedule(schedule_id)["lastError"] == error
    assert stack.receive_dead_letters() == []


@pytest.mark.parametrize("status", [301, 400, 404, 429])
def test_extension_response_is_not_retried(stack: LocalStack, install: ApiInstall, status: int) -> None:
    schedule_id = install.create_schedule()
    stack.receive_dead_letters()
    stack.runner.respond = lambda _request: extension_response(status)

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["error"]

    assert len(stack.runner.requests_for_schedule(schedule_id)) == 1
    schedule = install.read_schedule(schedule_id)
    assert schedule["lastRunStatus"] == "error"
    assert schedule["lastError"].startswith(f"The extension answered {status}")
    assert install.list_runs(schedule_id)[0]["httpStatus"] == status
    assert stack.receive_dead_letters() == []


@pytest.mark.local_only("functions in containers delay attempts in real time")
def test_retry_can_succeed(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule()
    responses = [extension_response(503), extension_response(200)]
    stack.runner.respond = lambda _request: responses.pop(0)

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["success"]
    (run,) = install.list_runs(schedule_id)
    assert (run["status"], run["attempt"]) == ("success", 2)


def test_error_is_stored_up_to_4000_characters(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule()
    body = base64.b64encode("ü".encode() * 10_000).decode()
    response = json.dumps({"status": 400, "headers": {}, "body_b64": body}).encode()
    stack.runner.respond = lambda _request: (200, response)

    stack.advance_clock("PT1H")

    assert len(install.read_schedule(schedule_id)["lastError"]) <= 4000


@pytest.mark.local_only("it starts its own stack")
def test_unreachable_runner_is_waited_for_and_then_dead_lettered(tmp_path: Path) -> None:
    settings = {"RUNNER_BASE_URL": "http://127.0.0.1:9", "MAX_WAIT_HOURS": "2"}
    with start_local_stack(tmp_path, **settings) as stack:
        install = stack.register_install()
        stack.advance_to_half_past()
        hour = stack.future_hour()[11:13]
        schedule_id = install.create_schedule(cron=f"0 {int(hour)} * * *")

        assert fire_statuses(stack.advance_clock("PT2H"), schedule_id) == ["waiting"]
        assert [run["attempt"] for run in install.list_runs(schedule_id)] == [0]
        assert stack.advance_clock("PT1H") == []

        (run,) = install.list_runs(schedule_id)
        assert run["status"] == "error"
        (dead_letter,) = stack.receive_dead_letters()
        assert (dead_letter["scheduleId"], dead_letter["replay"]) == (schedule_id, True)


@pytest.mark.local_only("it starts its own stack")
def test_slow_runner_times_out(tmp_path: Path) -> None:
    with start_local_stack(tmp_path, RUNNER_TIMEOUT_MS="200", RUNNER_OVERHEAD_SECONDS="2") as stack:
        install = stack.register_install()
        schedule_id = install.create_schedule()
        released = threading.Event()
        stack.runner.respond = lambda _request: (released.wait(30), extension_response())[1]

        fired = stack.advance_clock("PT1H")
        released.set()

        assert fire_statuses(fired, schedule_id) == ["error"]
        (run,) = install.list_runs(schedule_id)
        assert run["error"] == "The runner did not answer within 2.2 s"
        assert 2200 <= run["durationMs"] < 5000
