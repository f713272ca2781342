"""The token that a run is given, which the runner shows in place of its own."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.component_client import Executed, RunnerClient
from tests.support.component_scheduler import RecordingScheduler

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJpbnN0YWxsX2lkIjoiMSJ9.c2ln-bmF0_dXJl"


def execute(probe: RunnerClient, path: str, token: object, **given: Any) -> Executed:
    request = probe.request("POST", path, body=b"[]", **given)
    request["context"]["callback_token"] = token
    return probe.post(request)


def test_it_is_shown_instead_of_the_runners_own(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    scheduler.answers(200, {"schedules": []})
    for path in ("/scheduler/list_schedules", "/scheduler/get_endpoints"):
        execute(probe, path, TOKEN)

    for call in scheduler.requests:
        assert call.headers["authorization"] == f"Bearer {TOKEN}"
        assert "x-runner-auth" not in call.headers
        assert TOKEN not in call.path + call.body
    assert len(scheduler.requests) == 2


def test_without_one_the_runners_own_is_shown(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    execute(probe, "/scheduler/list_schedules", None)

    (call,) = scheduler.requests
    assert call.headers["x-runner-auth"] == "callback-token"
    assert "authorization" not in call.headers


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_not_answered_with_the_runners_own(
    probe: RunnerClient, scheduler: RecordingScheduler, status: int
) -> None:
    scheduler.answers(status, {"message": "Forbidden"})

    assert execute(probe, "/scheduler/list_schedules", TOKEN).json() == {"error": "DENIED"}
    assert len(scheduler.requests) == 1


def test_runs_at_the_same_time_show_each_its_own(probe: RunnerClient, scheduler: RecordingScheduler) -> None:
    scheduler.answers(200, {"schedule": None})

    def get(number: int) -> None:
        request = probe.request(
            "POST", "/scheduler/get_schedule", body=json.dumps([f"schedule-{number}"]).encode()
        )
        request["context"]["callback_token"] = f"token-{number}"
        probe.post(request)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(get, range(40)))
    shown = {
        json.loads(call.body)["scheduleId"]: call.headers["authorization"] for call in scheduler.requests
    }
    assert shown == {f"schedule-{number}": f"Bearer token-{number}" for number in range(40)}


def test_the_component_never_sees_it(probe: RunnerClient) -> None:
    executed = execute(probe, "/echo", TOKEN)

    assert executed.http_status == 200
    assert TOKEN not in executed.body.decode() + json.dumps(executed.answer)
    assert set(executed.json()["context"]) == {
        "request_id",
        "tenant_id",
        "extension_id",
        "install_id",
        "version_id",
    }


def test_the_runner_never_logs_it(
    probe: RunnerClient, scheduler: RecordingScheduler, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        execute(probe, "/scheduler/list_schedules", TOKEN)
        scheduler.hold_requests()
        execute(probe, "/scheduler/list_schedules", TOKEN, timeout_ms=200)
        execute(probe, "/trap", TOKEN)
        execute(probe, "/echo", f"{TOKEN} and more")

    assert any("callback_token" in message for message in caplog.messages)  # the last one's
    assert TOKEN not in str([vars(record) for record in caplog.records])


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("secret word", id="a space"),
        pytest.param("secret\n", id="a line's end"),
        pytest.param("secret\r\nx-runner-auth: other", id="another header"),
        pytest.param("sécret", id="not ASCII"),
        pytest.param("s" * 4097, id="too long"),
        pytest.param(7, id="a number"),
        pytest.param(["secret"], id="a list"),
    ],
)
def test_what_no_header_takes_is_refused_and_not_repeated(
    probe: RunnerClient, scheduler: RecordingScheduler, token: object
) -> None:
    executed = execute(probe, "/scheduler/list_schedules", token)

    assert (executed.http_status, executed.error["code"]) == (400, "INVALID_REQUEST")
    assert executed.error["message"].startswith("context.callback_token: ")
    assert "cret" not in executed.error["message"]
    assert scheduler.requests == []
