"""The run's callback token, which the runner sends instead of its own."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.stacks.component_client import ComponentClient, ExecutionResult
from tests.support.stacks.component_scheduler import RecordingScheduler

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJpbnN0YWxsX2lkIjoiMSJ9.c2ln-bmF0_dXJl"


def execute_with_token(probe: ComponentClient, path: str, token: object, **fields: Any) -> ExecutionResult:
    request = probe.create_request("POST", path, body=b"[]", **fields)
    request["context"]["callback_token"] = token
    return probe.post_request(request)


def test_callback_token_is_sent_instead_of_the_runner_token(
    probe: ComponentClient, scheduler: RecordingScheduler
) -> None:
    scheduler.set_response(200, {"schedules": []})
    for path in ("/scheduler/list_schedules", "/scheduler/get_endpoints"):
        execute_with_token(probe, path, TOKEN)

    for call in scheduler.requests:
        assert call.headers["authorization"] == f"Bearer {TOKEN}"
        assert "x-runner-auth" not in call.headers
        assert TOKEN not in call.path + call.body
    assert len(scheduler.requests) == 2


def test_runner_token_is_sent_without_a_callback_token(
    probe: ComponentClient, scheduler: RecordingScheduler
) -> None:
    execute_with_token(probe, "/scheduler/list_schedules", None)

    (call,) = scheduler.requests
    assert call.headers["x-runner-auth"] == "callback-token"
    assert "authorization" not in call.headers


@pytest.mark.parametrize("status", [401, 403])
def test_refusal_does_not_fall_back_to_the_runner_token(
    probe: ComponentClient, scheduler: RecordingScheduler, status: int
) -> None:
    scheduler.set_response(status, {"message": "Forbidden"})

    assert execute_with_token(probe, "/scheduler/list_schedules", TOKEN).json() == {"error": "DENIED"}
    assert len(scheduler.requests) == 1


def test_concurrent_runs_send_their_own_tokens(probe: ComponentClient, scheduler: RecordingScheduler) -> None:
    scheduler.set_response(200, {"schedule": None})

    def get(number: int) -> None:
        request = probe.create_request(
            "POST", "/scheduler/get_schedule", body=json.dumps([f"schedule-{number}"]).encode()
        )
        request["context"]["callback_token"] = f"token-{number}"
        probe.post_request(request)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(get, range(40)))
    tokens = {
        json.loads(call.body)["scheduleId"]: call.headers["authorization"] for call in scheduler.requests
    }
    assert tokens == {f"schedule-{number}": f"Bearer token-{number}" for number in range(40)}


def test_callback_token_is_hidden_from_the_component(probe: ComponentClient) -> None:
    executed = execute_with_token(probe, "/echo", TOKEN)

    assert executed.response["error"] is None
    assert TOKEN not in executed.body.decode() + executed.text
    assert set(executed.json()["context"]) == {
        "request_id",
        "tenant_id",
        "extension_id",
        "install_id",
        "version_id",
    }


def test_callback_token_is_never_logged(
    probe: ComponentClient, scheduler: RecordingScheduler, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        execute_with_token(probe, "/scheduler/list_schedules", TOKEN)
        scheduler.hold_requests()
        execute_with_token(probe, "/scheduler/list_schedules", TOKEN, timeout_ms=200)
        execute_with_token(probe, "/trap", TOKEN)
        execute_with_token(probe, "/echo", f"{TOKEN} and more")

    assert any("callback_token" in message for message in caplog.messages)  # from the last request
    assert TOKEN not in str([vars(record) for record in caplog.records])


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("secret word", id="space"),
        pytest.param("secret\n", id="line end"),
        pytest.param("secret\r\nx-runner-auth: other", id="second header"),
        pytest.param("sécret", id="not ASCII"),
        pytest.param("s" * 4097, id="too long"),
        pytest.param(7, id="number"),
        pytest.param(["secret"], id="list"),
    ],
)
def test_callback_token_invalid_as_header_is_refused_and_not_echoed(
    probe: ComponentClient, scheduler: RecordingScheduler, token: object
) -> None:
    executed = execute_with_token(probe, "/scheduler/list_schedules", token)

    assert executed.http_status == 422
    assert executed.text.startswith("context.callback_token: ")
    assert "cret" not in executed.text
    assert scheduler.requests == []
