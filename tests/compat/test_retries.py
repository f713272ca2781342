"""Retries against a runner that answers a repeated idempotency key from memory (contract, section 6)."""

import threading
from itertools import count

import pytest

from tests.support.stacks.deployed_runner import DeployedRunner, runner_error
from tests.support.stacks.local_stack import ApiInstall, LocalStack, fire_statuses
from tests.support.stacks.scripted_runner import RunnerResponse, extension_response

HIDDEN_TEXT = b"the runner's own text"


def sent_keys(stack: LocalStack, schedule_id: str) -> list[str]:
    return [each.headers["x-idempotency-key"] for each in stack.runner.requests_for_schedule(schedule_id)]


def test_retry_after_an_answered_5xx_reaches_the_extension(
    stack: LocalStack, runner: DeployedRunner, install: ApiInstall
) -> None:
    schedule_id = install.create_schedule()
    responses = [extension_response(503), extension_response(500), extension_response(200)]
    runner.extension = lambda _request: responses.pop(0)

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["success"]

    assert len(set(sent_keys(stack, schedule_id))) == 3
    assert len(runner.executions_of(schedule_id)) == 3
    (run,) = install.list_runs(schedule_id)
    assert (run["status"], run["attempt"], run["httpStatus"]) == ("success", 3, 200)


def test_5xx_of_three_attempts_is_dead_lettered(
    stack: LocalStack, runner: DeployedRunner, install: ApiInstall
) -> None:
    schedule_id = install.create_schedule()
    stack.receive_dead_letters()
    runner.extension = lambda _request: extension_response(500)

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["error"]

    assert len(runner.executions_of(schedule_id)) == 3
    assert len(stack.receive_dead_letters()) == 1


def test_lost_response_is_read_from_the_memory_of_the_runner(
    stack: LocalStack, runner: DeployedRunner, install: ApiInstall
) -> None:
    schedule_id = install.create_schedule()
    numbers = count(1)
    runner.loses_response = lambda _request: next(numbers) == 1

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["success"]

    first_key, second_key = sent_keys(stack, schedule_id)
    assert first_key == second_key
    assert len(runner.executions_of(schedule_id)) == 1
    (run,) = install.list_runs(schedule_id)
    assert (run["status"], run["attempt"]) == ("success", 2)


def test_lost_5xx_is_read_from_memory_before_the_extension_runs_again(
    stack: LocalStack, runner: DeployedRunner, install: ApiInstall
) -> None:
    schedule_id = install.create_schedule()
    responses = [extension_response(500), extension_response(200)]
    runner.extension = lambda _request: responses.pop(0)
    numbers = count(1)
    runner.loses_response = lambda _request: next(numbers) == 1

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["success"]

    lost, remembered, last = sent_keys(stack, schedule_id)
    assert lost == remembered != last
    assert len(runner.executions_of(schedule_id)) == 2


def test_keys_of_two_occurrences_differ(
    stack: LocalStack, runner: DeployedRunner, install: ApiInstall
) -> None:
    schedule_id = install.create_schedule()

    assert fire_statuses(stack.advance_clock("PT2H"), schedule_id) == ["success", "success"]

    assert len(set(sent_keys(stack, schedule_id))) == 2
    assert len(runner.executions_of(schedule_id)) == 2


@pytest.mark.parametrize("status", [301, 400, 401, 404, 413, 422, 500, 502])
def test_refusal_by_the_runner_is_retried_with_the_same_key_and_dead_lettered(
    stack: LocalStack, install: ApiInstall, status: int
) -> None:
    schedule_id = install.create_schedule()
    stack.receive_dead_letters()
    stack.runner.respond = lambda _request: (status, HIDDEN_TEXT)

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["error"]

    keys = sent_keys(stack, schedule_id)
    assert (len(keys), len(set(keys))) == (3, 1)
    assert len(stack.receive_dead_letters()) == 1
    (run,) = install.list_runs(schedule_id)
    assert (run["status"], run["attempt"], run["httpStatus"]) == ("error", 3, None)
    shown = f"{run}{install.read_schedule(schedule_id)}{install.call_callback('list').text}"
    assert HIDDEN_TEXT.decode() not in shown


@pytest.mark.parametrize(
    ("status", "error", "shown"),
    [
        pytest.param(502, "bundle_fetch_failed: s3://bucket/secret", "bundle_fetch_failed", id="bundle"),
        pytest.param(500, "engine_init_failed: /var/secret", "engine_init_failed", id="engine"),
        pytest.param(500, "secret_decrypt_failed", "secret_decrypt_failed", id="secrets"),
    ],
)
def test_error_of_the_runner_is_retried_and_shown_by_its_word(
    stack: LocalStack, runner: DeployedRunner, install: ApiInstall, status: int, error: str, shown: str
) -> None:
    schedule_id = install.create_schedule()
    responses = [runner_error(status, error)] * 3
    stack.runner.respond = lambda request: responses.pop(0) if responses else runner(request)

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["error"]

    assert len(set(sent_keys(stack, schedule_id))) == 1
    (run,) = install.list_runs(schedule_id)
    last_error = install.read_schedule(schedule_id)["lastError"]
    assert (run["attempt"], run["httpStatus"]) == (3, None)
    assert shown in run["error"]
    assert shown in last_error
    assert "secret" not in f"{run['error']}{last_error}".replace(shown, "")


def test_text_of_execute_failed_is_shown(
    stack: LocalStack, runner: DeployedRunner, install: ApiInstall
) -> None:
    schedule_id = install.create_schedule()
    responses = [runner_error(500, "execute_failed: wasm trap: unreachable")]
    stack.runner.respond = lambda request: responses.pop(0) if responses else runner(request)

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["success"]
    assert install.list_runs(schedule_id)[0]["attempt"] == 2

    stack.runner.respond = lambda _request: runner_error(500, "execute_failed: wasm trap: unreachable")
    stack.advance_clock("PT1H")

    assert "execute_failed: wasm trap: unreachable" in install.read_schedule(schedule_id)["lastError"]


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(runner_error(400, "unknown_capabilities: cap:x"), id="unknown_capabilities"),
        pytest.param(runner_error(400, "missing_routing_headers"), id="missing_routing_headers"),
        pytest.param((200, b"<html>"), id="not JSON"),
        pytest.param((200, b"[]"), id="not an object"),
        pytest.param((200, b'{"status":"200"}'), id="status of wrong type"),
        pytest.param((200, b'{"headers":{}}'), id="no status"),
        pytest.param((200, b""), id="empty"),
        pytest.param((200, b" " * 300_000), id="too large"),
        pytest.param(extension_response(301), id="extension 301"),
        pytest.param(extension_response(404), id="extension 404"),
        pytest.param(extension_response(429), id="extension 429"),
    ],
)
def test_final_response_is_not_retried(
    stack: LocalStack, install: ApiInstall, response: RunnerResponse
) -> None:
    schedule_id = install.create_schedule()
    stack.receive_dead_letters()
    stack.runner.respond = lambda _request: response

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["error"]

    assert len(sent_keys(stack, schedule_id)) == 1
    assert stack.receive_dead_letters() == []


def test_repeated_key_runs_again_while_the_first_run_has_not_finished(
    stack: LocalStack, runner: DeployedRunner, install: ApiInstall
) -> None:
    """Describes the stand-in: the service must not send a key again before its run can have finished."""
    schedule_id = install.create_schedule()
    started, released = threading.Semaphore(0), threading.Event()

    def run_slowly(_request: object) -> RunnerResponse:
        started.release()
        assert released.wait(20)
        return extension_response()

    runner.extension = run_slowly
    stack.advance_clock("PT0S")
    occurrence = threading.Thread(target=stack.advance_clock, args=("PT1H",))
    occurrence.start()
    assert started.acquire(timeout=20)
    (request,) = stack.runner.requests_for_schedule(schedule_id)

    repeated = threading.Thread(target=runner, args=(request,))
    repeated.start()
    assert started.acquire(timeout=20)
    released.set()
    for thread in (occurrence, repeated):
        thread.join(20)

    assert len(runner.executions_of(schedule_id)) == 2
    assert runner(request) == extension_response()
    assert len(runner.executions_of(schedule_id)) == 2
