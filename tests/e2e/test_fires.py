"""Contract section 6 with a runner under the tests' control; the occurrences come from the local clock."""

import base64
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest

from tests.support.local_stack import ApiInstall, LocalStack, local_stack
from tests.support.scripted_runner import Answer, Asked, extension_answer


def statuses(fired: list[dict[str, str]], schedule_id: str) -> list[str]:
    return [each["status"] for each in fired if each["scheduleId"] == schedule_id]


PROVIDERS = ["cap:context.read", "cap:http.fetch", "cap:log.emit", "cap:scheduler.manage", "cap:user.read"]
"""What an install that was granted two capabilities may ask its runner for."""


@pytest.fixture
def granted(stack: LocalStack) -> ApiInstall:
    return stack.register(
        grantedCapabilities=["cap:scheduler.manage", "cap:http.fetch"],
        config=json.loads('{"region":"eu","ratio":1.0}'),
        secretEnvelope={"ciphertext": "abc"},
    )


def test_the_runner_is_asked_exactly_so(stack: LocalStack, granted: ApiInstall) -> None:
    schedule_id = granted.created(payload={"n": 12345678901234567890123, "s": "é"})

    (fired,) = [each for each in stack.travel("PT1H") if each["scheduleId"] == schedule_id]

    (asked,) = stack.runner.of(schedule_id)
    headers = {name.lower(): value for name, value in asked.headers.items()}
    assert headers["x-idempotency-key"] == f"{schedule_id}:{fired['scheduledTime']}"
    assert (headers["x-alga-tenant"], headers["x-alga-extension"]) == ("tenant-1", "registry-1")
    assert headers["content-type"] == "application/json"
    assert "x-runner-service-token" not in headers
    del asked.body["context"]["callback_token"]
    assert asked.body == {
        "context": {
            "request_id": headers["x-request-id"],
            "tenant_id": "tenant-1",
            "extension_id": "registry-1",
            "install_id": granted.id,
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


def test_the_runner_is_given_a_token_for_that_run(stack: LocalStack, granted: ApiInstall) -> None:
    schedule_id = granted.created()

    stack.travel("PT1H")

    claims = jwt.decode(
        stack.runner.of(schedule_id)[0].body["context"]["callback_token"],
        stack.callback_key(),
        algorithms=["HS256"],
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
    )
    assert claims == {
        "iss": "extension-scheduler-local",
        "aud": "extension-scheduler/callback",
        "iat": claims["iat"],
        "nbf": claims["iat"] - 5,
        "exp": claims["iat"] + 40,
        "install_id": granted.id,
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
def test_there_is_no_body_for(stack: LocalStack, install: ApiInstall, fields: dict[str, object]) -> None:
    schedule_id = install.created(**fields)

    stack.travel("PT1H")

    (asked,) = stack.runner.of(schedule_id)
    assert "body_b64" not in asked.body["http"]
    assert asked.body["secret_envelope"] == {}


@pytest.mark.local_only("functions in containers keep the real time")
def test_success_is_in_the_history_and_on_the_schedule(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.created()

    assert statuses(stack.travel("PT2H"), schedule_id) == ["success", "success"]

    newest, oldest = install.runs(schedule_id)
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
    schedule = install.schedule(schedule_id)
    assert (schedule["lastRunStatus"], schedule["lastError"]) == ("success", None)
    assert schedule["lastRunAt"] == newest["startedAt"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(extension_answer(500), "The extension answered 500", id="the extension's 500"),
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
def test_what_may_pass_is_tried_three_times_then_dead_lettered(
    stack: LocalStack, install: ApiInstall, answer: Answer, error: str
) -> None:
    schedule_id = install.created()
    stack.dead_letters()
    stack.runner.answer = lambda _asked: answer

    fired = stack.travel("PT1H")
    stack.runner.answer = lambda _asked: extension_answer()
    after = stack.travel("PT1H")

    assert statuses(fired, schedule_id) == ["error"]
    asked = stack.runner.of(schedule_id)
    assert len(asked) == 4
    assert len({each.headers["x-idempotency-key"] for each in asked[:3]}) == 1
    assert statuses(after, schedule_id) == ["success"]
    good, bad = install.runs(schedule_id)
    assert good["status"] == "success"
    assert (bad["status"], bad["attempt"]) == ("error", 3)
    assert bad["error"].startswith(error)
    (letter,) = [each for each in stack.dead_letters() if each["requestPayload"]["scheduleId"] == schedule_id]
    assert letter["requestPayload"]["scheduledTime"] == bad["scheduledTime"]
    assert letter["requestContext"]["condition"] == "RetriesExhausted"


@pytest.mark.parametrize("status", [301, 400, 404, 429])
def test_the_extensions_own_answer_is_not_retried(
    stack: LocalStack, install: ApiInstall, status: int
) -> None:
    schedule_id = install.created()
    stack.dead_letters()
    stack.runner.answer = lambda _asked: extension_answer(status)

    assert statuses(stack.travel("PT1H"), schedule_id) == ["error"]

    assert len(stack.runner.of(schedule_id)) == 1
    schedule = install.schedule(schedule_id)
    assert schedule["lastRunStatus"] == "error"
    assert schedule["lastError"].startswith(f"The extension answered {status}")
    assert install.runs(schedule_id)[0]["httpStatus"] == status
    assert stack.dead_letters() == []


def test_a_retry_may_succeed(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.created()
    answers = [extension_answer(503), extension_answer(200)]
    stack.runner.answer = lambda _asked: answers.pop(0)

    assert statuses(stack.travel("PT1H"), schedule_id) == ["success"]
    (run,) = install.runs(schedule_id)
    assert (run["status"], run["attempt"]) == ("success", 2)


def test_an_error_is_kept_up_to_4000_characters(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.created()
    body = base64.b64encode("ü".encode() * 10_000).decode()
    answer = json.dumps({"status": 400, "headers": {}, "body_b64": body}).encode()
    stack.runner.answer = lambda _asked: (200, answer)

    stack.travel("PT1H")

    assert len(install.schedule(schedule_id)["lastError"]) <= 4000


def test_one_occurrence_delivered_again_and_again_is_run_once(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.created()
    (fired,) = [each for each in stack.travel("PT1H") if each["scheduleId"] == schedule_id]

    with ThreadPoolExecutor(8) as pool:
        again = list(pool.map(lambda _: stack.deliver(schedule_id, fired["scheduledTime"]), range(8)))

    assert again == ["duplicate"] * 8
    assert len(stack.runner.of(schedule_id)) == 1
    assert len(install.runs(schedule_id)) == 1


def test_eight_deliveries_at_once_of_a_new_occurrence_are_one_call(
    stack: LocalStack, install: ApiInstall
) -> None:
    schedule_id = install.created()
    stack.travel("PT1H")
    before = len(stack.runner.of(schedule_id))

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: stack.deliver(schedule_id, "2026-11-23T03:00:00Z"), range(8)))

    assert sorted(results) == ["duplicate"] * 7 + ["success"]
    assert len(stack.runner.of(schedule_id)) == before + 1


@pytest.mark.local_only("a container of `sam local` takes one event at a time")
def test_a_run_under_way_has_the_next_one_skipped(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.created()
    stack.travel("PT1H")
    started, released = threading.Event(), threading.Event()

    def slow(_asked: Asked) -> Answer:
        started.set()
        assert released.wait(20)
        return extension_answer()

    stack.runner.answer = slow
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(stack.deliver, schedule_id, "2026-11-23T03:00:00Z")
        assert started.wait(20)
        second = stack.deliver(schedule_id, "2026-11-23T04:00:00Z")
        released.set()
        assert first.result() == "success"

    assert second == "overlap"
    skipped = next(run for run in install.runs(schedule_id) if run["scheduledTime"] == "2026-11-23T04:00:00Z")
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
def test_what_was_stopped_is_not_run(
    stack: LocalStack, install: ApiInstall, stop: Callable[[ApiInstall, str], object], status: str | None
) -> None:
    schedule_id = install.created()
    stack.travel("PT1H")
    before = len(stack.runner.of(schedule_id))

    stop(install, schedule_id)

    if status:
        assert stack.deliver(schedule_id, "2026-11-23T03:00:00Z") == status
        assert len(stack.runner.of(schedule_id)) == before
    else:
        fired = stack.travel("PT1H")
        assert all("07:00Z" in each["scheduledTime"] for each in fired if each["scheduleId"] == schedule_id)


def test_a_revoked_capability_keeps_the_timer_and_shows_why(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.created()
    stack.register(install.id, grantedCapabilities=[])

    assert statuses(stack.travel("PT1H"), schedule_id) == ["revoked"]

    assert install.timer(schedule_id) is not None
    stack.register(install.id)
    assert install.runs(schedule_id)[0]["status"] == "skipped"


@pytest.mark.local_only("it has a stack of its own")
def test_a_runner_that_is_down_is_an_error_and_the_next_fire_is_not_affected(tmp_path: Path) -> None:
    with local_stack(tmp_path, RUNNER_BASE_URL="http://127.0.0.1:9") as stack:
        install = stack.register()
        schedule_id = install.created()

        assert statuses(stack.travel("PT2H"), schedule_id) == ["error", "error"]

        runs = install.runs(schedule_id)
        assert [run["error"] for run in runs] == [
            "The runner could not be reached: ConnectionRefusedError"
        ] * 2
        assert [run["attempt"] for run in runs] == [3, 3]


@pytest.mark.local_only("it has a stack of its own")
def test_a_runner_that_is_slow_is_given_up(tmp_path: Path) -> None:
    with local_stack(tmp_path, RUNNER_TIMEOUT_MS="200") as stack:
        install = stack.register()
        schedule_id = install.created()
        hanging = threading.Event()
        stack.runner.answer = lambda _asked: (hanging.wait(30), extension_answer())[1]

        fired = stack.travel("PT1H")
        hanging.set()

        assert statuses(fired, schedule_id) == ["error"]
        (run,) = install.runs(schedule_id)
        assert run["error"] == "The runner did not answer within 2.2 s"
        assert 2200 <= run["durationMs"] < 5000
