"""`POST /v1/execute` beyond the number of executions that may run at once."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.components import hostile
from tests.support.components.client import ComponentClient, ExecutionResult
from tests.support.components.runner import (
    TEST_EXTENSIONS,
    add_wat,
    build_probe,
    create_runner_settings,
    prepare_components,
    start_runner,
)
from tests.support.components.scheduler import RecordingScheduler

REFUSAL = "1 executions are running (MAX_EXECUTIONS), 0 of them past their end"


@pytest.fixture
def small_runner(recorder: RecordingScheduler, tmp_path: Path) -> Iterator[ComponentClient]:
    """The probe, on a runner that executes one request at a time."""
    prepare_components()
    settings = create_runner_settings(recorder.url, TEST_EXTENSIONS, tmp_path)
    with start_runner(settings, max_executions=1) as url:
        client = ComponentClient(url, build_probe())
        yield client
        client.http.clear()


def execute_until_accepted(client: ComponentClient) -> ExecutionResult:
    """Execute a request again and again, as long as the runner is at its capacity."""
    deadline = time.monotonic() + 30
    while (result := client.execute_request("POST", "/echo", body=b"x")).http_status == 503:
        assert time.monotonic() < deadline
    return result


def test_execution_beyond_the_limit_is_503(
    small_runner: ComponentClient, scheduler: RecordingScheduler
) -> None:
    key = {"x-idempotency-key": "one"}
    echo = small_runner.create_request("POST", "/echo", body=b"x")
    first = small_runner.post_request(echo, **key)
    scheduler.hold_requests()
    request = small_runner.create_request("POST", "/scheduler/list_schedules", body=b"[]")
    running = threading.Thread(target=small_runner.post_request, args=(request,), daemon=True)
    running.start()
    scheduler.wait_for_requests(1)

    response = small_runner.http.request(
        "POST",
        f"{small_runner.url}/v1/execute",
        json=echo,
        headers={"x-alga-tenant": "t", "x-alga-extension": "e"},
        retries=False,
    )
    assert (response.status, response.data.decode()) == (503, REFUSAL)
    assert response.headers["retry-after"] == "1"
    assert small_runner.post_request(echo, **key) == first  # from memory, which takes no execution
    assert small_runner.http.request("GET", f"{small_runner.url}/health").status == 200

    scheduler.reset()
    running.join()
    assert execute_until_accepted(small_runner).response["status"] == 200


def test_execution_that_sleeps_for_an_hour_frees_its_place(
    small_runner: ComponentClient, tmp_path: Path
) -> None:
    sleeper = ComponentClient(small_runner.url, add_wat(tmp_path / "sleeper", hostile.SLEEP_FOR_AN_HOUR))
    error = "execute_failed: the extension took longer than 300 ms"
    assert sleeper.execute_request("POST", "/run", timeout_ms=300).failure == (500, error)
    assert execute_until_accepted(small_runner).response["status"] == 200
    sleeper.http.clear()
