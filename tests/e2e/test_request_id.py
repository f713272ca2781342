"""One request id leads from a run in the history to the logs of the functions, the runner and the extension."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.sample import INSTALL_ID
from local.settings import PROJECT_ROOT
from tests.support.components.runner import build_sample
from tests.support.stacks.local_stack import ApiInstall, LocalStack, start_local_stack

pytestmark = pytest.mark.local_only("a stack with its own runner")


@pytest.fixture(scope="module")
def stack_with_runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    build_sample()
    with start_local_stack(tmp_path_factory.mktemp("stack"), RUNNER_BASE_URL="") as stack:
        yield stack


def log_lines(stack: LocalStack, name: str, request_id: str) -> list[str]:
    folder = PROJECT_ROOT / "build" / "local" / "logs" / str(stack.api.base_url.port)
    return [line for line in Path(folder, name).read_text().splitlines() if request_id in line]


def test_request_id_of_a_run_is_in_every_log(stack_with_runner: LocalStack) -> None:
    sample = ApiInstall(stack_with_runner, INSTALL_ID)
    schedule_id = sample.create_schedule(endpoint="POST /api/heartbeat", payload={"source": "schedule"})

    stack_with_runner.advance_clock("PT1H")

    (run,) = sample.list_runs(schedule_id)
    assert run["status"] == "success"
    function_lines = log_lines(stack_with_runner, "functions.log", run["requestId"])
    assert [line for line in function_lines if '"occurrence"' in line and schedule_id in line]
    runner_lines = log_lines(stack_with_runner, "runner.log", run["requestId"])
    assert [line for line in runner_lines if "status 200" in line]
    assert [line for line in runner_lines if f"heartbeat: schedule {schedule_id}" in line]


def test_callback_of_a_run_leaves_the_context_of_its_log(stack_with_runner: LocalStack) -> None:
    sample = ApiInstall(stack_with_runner, INSTALL_ID)
    schedule_id = sample.create_schedule(endpoint="GET /api/schedules")

    stack_with_runner.advance_clock("PT1H")

    (run,) = sample.list_runs(schedule_id)
    lines = log_lines(stack_with_runner, "functions.log", run["requestId"])
    (occurrence,) = [line for line in lines if '"occurrence"' in line]
    assert '"operation":"execute"' in occurrence
    assert schedule_id in occurrence
