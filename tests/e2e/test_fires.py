"""Contract section 6 with a runner under the tests' control; the occurrences come from the local clock."""

import base64
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest

from tests.support.stacks.local_stack import ApiInstall, LocalStack, start_local_stack
from tests.support.stacks.scripted_runner import RunnerRequest, RunnerResponse, extension_response


def fire_statuses(fired: list[dict[str, str]], schedule_id: str) -> list[str]:
    return [each["status"] for each in fired if each["scheduleId"] == schedule_id]


PROVIDERS = ["cap:context.read", "cap:http.fetch", "cap:log.emit", "cap:scheduler.manage", "cap:user.read"]
"""What an install that was granted two capabilities may ask its runner for."""


@pytest.fixture
def granted_install(stack: LocalStack) -> ApiInstall:
    return stack.register_install(
        grantedCapabilities=["cap:scheduler.manage", "cap:http.fetch"],
        config=json.loads('{"region":"eu","ratio":1.0}'),
        secretEnvelope={"ciphertext": "abc"},
    )


def test_runner_request_matches_the_contract(stack: LocalStack, granted_install: ApiInstall) -> None:
    schedule_id = granted_install.create_schedule(payload={"n": 12345678901234567890123, "s": "é"})

    (fired,) = [each for each in stack.advance_clock("PT1H") if each["scheduleId"] == schedule_id]

    (request,) = stack.runner.requests_for_schedule(schedule_id)
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert headers["x-idempotency-key"] == f"{schedule_id}:{fired['scheduledTime']}"
    assert (headers["x-alga-tenant"], headers["x-alga-extension"]) == ("tenant-1", "registry-1")
    assert headers["content-type"] == "application/json"
    assert "x-runner-service-token" not in headers
    del request.body["context"]["callback_token"]
    assert request.body == {
        "context": {
            "request_id": headers["x-request-id"],
            "tenant_id": "tenant-1",
            "extension_id": "registry-1",
            "install_id": granted_install.id,
            "version_id": "version-1",
            "content_hash": "sha256:" + "0" * 64,
            "config": {"region": "eu", "ratio": 1.0},
            "trigger": "schedule",
            "schedule_id": schedule_id,
            "scheduled_for": fired["scheduledTime"],
        },
        "http": {
            "method": "POST",
            "path": "/api/sync",
            "query": {},
            "headers": {"x-alga-tenant": "tenant-1", "x-alga-extension": "registry-1"},
            "body_b64": base64.b64encode('{"n":12345678901234567890123,"s":"é"}'.encode()).decode(),
        },
        "limits": {"timeout_ms": 30000},
        "providers": PROVIDERS,
        "secret_envelope": {"ciphertext": "abc"},
    }


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
        "exp": claims["iat"] + 40,
        "install_id": granted_install.id,
        "tenant_id": "tenant-1",
        "capabilities": PROVIDERS,
    }


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"endpoint": "GET /api/both", "payload": [1]}, id="GET"),
        pytest.param({"endpoint": "POST /api/both"}, id="no payload"),
    ],
)
def test_no_body_is_sent_for(stack: LocalStack, install: ApiInstall, fields: dict[str, object]) -> None:
    schedule_id = install.create_schedule(**fields)

    stack.advance_clock("PT1H")

    (request,) = stack.runner.requests_for_schedule(schedule_id)
    assert "body_b64" not in request.body["http"]
    assert request.body["secret_envelope"] == {}


@pytest.mark.local_only("functions in containers keep the real time")
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
    }
    assert (newest["status"], newest["attempt"], newest["httpStatus"], newest["error"]) == (
        "success",
        1,
        200,
        None,
    )
    assert newest["startedAt"].replace(".000Z", "Z") == newest["scheduledTime"]
    schedule = install.read_schedule(schedule_id)
    assert (schedule["lastRunStatus"], schedule["lastError"]) == ("success", None)
    assert schedule["lastRunAt"] == newest["startedAt"]


@pytest.mark.parametrize(
    ("response", "error"),
    [
        pytest.param(extension_response(500), "The extension answered 500", id="the extension's 500"),
        pytest.param(
            (502, b'{"error":"trap"}'), 'The runner answered 502: {"error":"trap"}', id="its own 502"
        ),
        pytest.param((200, b"<html>"), "The runner's answer is not understood: <html>", id="garbage"),
        pytest.param((200, b"[]"), "The runner's answer is not understood: []", id="another shape"),
        pytest.param(
            (200, b'{"status":"200"}'), "The runner's answer is not understood", id="a text for status"
        ),
        pytest.param((200, b""), "The runner's answer is not understood: nothing", id="nothing"),
        pytest.param((200, b" " * 300_000), "The runner's answer is larger than 256 KiB", id="300 KB"),
    ],
)
def test_transient_failure_is_retried_three_times_then_dead_lettered(
    stack: LocalStack, install: ApiInstall, response: RunnerResponse, error: str
) -> None:
    schedule_id = install.create_schedule()
    stack.receive_dead_letters()
    stack.runner.respond = lambda _asked: response

    fired = stack.advance_clock("PT1H")
    stack.runner.respond = lambda _asked: extension_response()
    after = stack.advance_clock("PT1H")

    assert fire_statuses(fired, schedule_id) == ["error"]
    requests = stack.runner.requests_for_schedule(schedule_id)
    assert len(requests) == 4
    assert len({each.headers["x-idempotency-key"] for each in requests[:3]}) == 1
    assert fire_statuses(after, schedule_id) == ["success"]
    good, bad = install.list_runs(schedule_id)
    assert good["status"] == "success"
    assert (bad["status"], bad["attempt"]) == ("error", 3)
    assert bad["error"].startswith(error)
    (dead_letter,) = [
        each for each in stack.receive_dead_letters() if each["requestPayload"]["scheduleId"] == schedule_id
    ]
    assert dead_letter["requestPayload"]["scheduledTime"] == bad["scheduledTime"]
    assert dead_letter["requestContext"]["condition"] == "RetriesExhausted"


@pytest.mark.parametrize("status", [301, 400, 404, 429])
def test_extension_response_is_not_retried(stack: LocalStack, install: ApiInstall, status: int) -> None:
    schedule_id = install.create_schedule()
    stack.receive_dead_letters()
    stack.runner.respond = lambda _asked: extension_response(status)

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["error"]

    assert len(stack.runner.requests_for_schedule(schedule_id)) == 1
    schedule = install.read_schedule(schedule_id)
    assert schedule["lastRunStatus"] == "error"
    assert schedule["lastError"].startswith(f"The extension answered {status}")
    assert install.list_runs(schedule_id)[0]["httpStatus"] == status
    assert stack.receive_dead_letters() == []


def test_a_retry_may_succeed(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule()
    responses = [extension_response(503), extension_response(200)]
    stack.runner.respond = lambda _asked: responses.pop(0)

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["success"]
    (run,) = install.list_runs(schedule_id)
    assert (run["status"], run["attempt"]) == ("success", 2)


def test_error_is_stored_up_to_4000_characters(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule()
    body = base64.b64encode("ü".encode() * 10_000).decode()
    response = json.dumps({"status": 400, "headers": {}, "body_b64": body}).encode()
    stack.runner.respond = lambda _asked: (200, response)

    stack.advance_clock("PT1H")

    assert len(install.read_schedule(schedule_id)["lastError"]) <= 4000


def test_occurrence_delivered_repeatedly_runs_once(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule()
    (fired,) = [each for each in stack.advance_clock("PT1H") if each["scheduleId"] == schedule_id]

    with ThreadPoolExecutor(8) as pool:
        redeliveries = list(
            pool.map(lambda _: stack.deliver_occurrence(schedule_id, fired["scheduledTime"]), range(8))
        )

    assert redeliveries == ["duplicate"] * 8
    assert len(stack.runner.requests_for_schedule(schedule_id)) == 1
    assert len(install.list_runs(schedule_id)) == 1


def test_eight_concurrent_deliveries_of_an_occurrence_are_one_call(
    stack: LocalStack, install: ApiInstall
) -> None:
    schedule_id = install.create_schedule()
    stack.advance_clock("PT1H")
    before = len(stack.runner.requests_for_schedule(schedule_id))

    with ThreadPoolExecutor(8) as pool:
        results = list(
            pool.map(lambda _: stack.deliver_occurrence(schedule_id, "2026-11-23T03:00:00Z"), range(8))
        )

    assert sorted(results) == ["duplicate"] * 7 + ["success"]
    assert len(stack.runner.requests_for_schedule(schedule_id)) == before + 1


@pytest.mark.local_only("a container of `sam local` takes one event at a time")
def test_occurrence_during_a_run_is_skipped(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule()
    stack.advance_clock("PT1H")
    started, released = threading.Event(), threading.Event()

    def slow(_request: RunnerRequest) -> RunnerResponse:
        started.set()
        assert released.wait(20)
        return extension_response()

    stack.runner.respond = slow
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(stack.deliver_occurrence, schedule_id, "2026-11-23T03:00:00Z")
        assert started.wait(20)
        second = stack.deliver_occurrence(schedule_id, "2026-11-23T04:00:00Z")
        released.set()
        assert first.result() == "success"

    assert second == "overlap"
    skipped = next(
        run for run in install.list_runs(schedule_id) if run["scheduledTime"] == "2026-11-23T04:00:00Z"
    )
    assert (skipped["status"], skipped["error"]) == ("skipped", "The previous run was still under way")


@pytest.mark.parametrize(
    ("stop", "status"),
    [
        pytest.param(lambda i, s: i.call("update", scheduleId=s, enabled=False), "disabled", id="disabled"),
        pytest.param(lambda i, s: i.call("update", scheduleId=s, cron="7 * * * *"), None, id="stale"),
        pytest.param(lambda i, s: i.call("delete", scheduleId=s), "unknown", id="deleted"),
        pytest.param(lambda i, _: i.stack.register(i.id, enabled=False), "disabled", id="install disabled"),
        pytest.param(lambda i, _: i.stack.register(i.id, grantedCapabilities=[]), "revoked", id="revoked"),
        pytest.param(
            lambda i, _: i.stack.api.delete(f"/admin/v1/installs/{i.id}"), "unknown", id="install deleted"
        ),
    ],
)
def test_stopped_schedule_does_not_run(
    stack: LocalStack, install: ApiInstall, stop: Callable[[ApiInstall, str], object], status: str | None
) -> None:
    schedule_id = install.create_schedule()
    stack.advance_clock("PT1H")
    before = len(stack.runner.requests_for_schedule(schedule_id))

    stop(install, schedule_id)

    if status:
        assert stack.deliver_occurrence(schedule_id, "2026-11-23T03:00:00Z") == status
        assert len(stack.runner.requests_for_schedule(schedule_id)) == before
    else:
        fired = stack.advance_clock("PT1H")
        assert all("07:00Z" in each["scheduledTime"] for each in fired if each["scheduleId"] == schedule_id)


def test_revoked_capability_keeps_the_timer_and_is_reported(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule()
    stack.register_install(install.id, grantedCapabilities=[])

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["revoked"]

    assert install.read_timer(schedule_id) is not None
    stack.register_install(install.id)
    assert install.list_runs(schedule_id)[0]["status"] == "skipped"


@pytest.mark.local_only("it has a stack of its own")
def test_unreachable_runner_is_an_error_and_next_fire_succeeds(tmp_path: Path) -> None:
    with start_local_stack(tmp_path, RUNNER_BASE_URL="http://127.0.0.1:9") as stack:
        install = stack.register_install()
        schedule_id = install.create_schedule()

        assert fire_statuses(stack.advance_clock("PT2H"), schedule_id) == ["error", "error"]

        runs = install.list_runs(schedule_id)
        assert [run["error"] for run in runs] == [
            "The runner could not be reached: ConnectionRefusedError"
        ] * 2
        assert [run["attempt"] for run in runs] == [3, 3]


@pytest.mark.local_only("it has a stack of its own")
def test_slow_runner_times_out(tmp_path: Path) -> None:
    with start_local_stack(tmp_path, RUNNER_TIMEOUT_MS="200") as stack:
        install = stack.register_install()
        schedule_id = install.create_schedule()
        hanging = threading.Event()
        stack.runner.respond = lambda _asked: (hanging.wait(30), extension_response())[1]

        fired = stack.advance_clock("PT1H")
        hanging.set()

        assert fire_statuses(fired, schedule_id) == ["error"]
        (run,) = install.list_runs(schedule_id)
        assert run["error"] == "The runner did not answer within 2.2 s"
        assert 2200 <= run["durationMs"] < 5000
