"""The time limits of a run on a runner that compiles first (contract, section 6)."""

import threading
from collections.abc import Iterator

import pytest

from tests.support.stacks.deployed_runner import DeployedRunner
from tests.support.stacks.local_stack import ApiInstall, LocalStack, fire_statuses, start_local_stack
from tests.support.stacks.scripted_runner import RunnerRequest, extension_response

TIMEOUT_SECONDS, OVERHEAD_SECONDS = 1, 4
pytestmark = pytest.mark.local_only("it starts its own stack")


@pytest.fixture(scope="module")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    settings = {
        "RUNNER_TIMEOUT_MS": str(TIMEOUT_SECONDS * 1000),
        "RUNNER_OVERHEAD_SECONDS": str(OVERHEAD_SECONDS),
    }
    with start_local_stack(tmp_path_factory.mktemp("time-limits"), **settings) as stack:
        yield stack


def test_compiling_does_not_count_against_the_time_limit(
    stack: LocalStack, runner: DeployedRunner, install: ApiInstall
) -> None:
    schedule_id = install.create_schedule()
    runner.compile_seconds = TIMEOUT_SECONDS * 2

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["success"]

    (run,) = install.list_runs(schedule_id)
    assert (run["attempt"], len(runner.executions_of(schedule_id))) == (1, 1)
    assert run["durationMs"] >= runner.compile_seconds * 1000


def test_run_beyond_the_time_limit_is_reported_as_execute_failed(
    stack: LocalStack, runner: DeployedRunner, install: ApiInstall
) -> None:
    schedule_id = install.create_schedule()
    released = threading.Event()
    runner.extension = lambda _request: (released.wait(60), extension_response())[1]

    fired = stack.advance_clock("PT1H")
    released.set()

    assert fire_statuses(fired, schedule_id) == ["error"]
    last_error = install.read_schedule(schedule_id)["lastError"]
    assert "execute_failed" in last_error
    assert "did not answer" not in last_error


def test_response_that_came_too_late_is_read_from_the_memory_of_the_runner(
    stack: LocalStack, runner: DeployedRunner, install: ApiInstall
) -> None:
    """The caller leaves, the run ends after that, and the next attempt with the same key gets its response."""
    schedule_id = install.create_schedule()
    released = threading.Event()

    def compile_until_the_next_request(request: RunnerRequest) -> None:
        if len(stack.runner.requests_for_schedule(schedule_id)) == 1:
            assert released.wait(60)
        else:
            released.set()
            runner.wait_until_finished(request.headers["x-idempotency-key"])

    runner.on_receive = compile_until_the_next_request
    runner.extension = lambda _request: extension_response(204)

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["success"]

    first, second = stack.runner.requests_for_schedule(schedule_id)
    assert first.headers["x-idempotency-key"] == second.headers["x-idempotency-key"]
    assert len(runner.executions_of(schedule_id)) == 1
    (run,) = install.list_runs(schedule_id)
    assert (run["status"], run["httpStatus"], run["attempt"]) == ("success", 204, 2)
