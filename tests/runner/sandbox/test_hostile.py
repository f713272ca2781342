"""Hostile components: what they get, and that the runner and the other executions go on."""

import logging
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.settings import MEBIBYTE
from tests.support.components import hostile
from tests.support.components.client import ComponentClient, ExecutionResult
from tests.support.components.runner import add_wat, create_runner_settings, start_runner
from tests.support.components.scheduler import RecordingScheduler

Execute = Callable[..., ExecutionResult]

MEMORY_FAILURE = "the extension needs more memory than it may have"
LATE = "the extension took longer than 400 ms"
PAGES_OF_10_MIB = 160


@pytest.fixture(scope="module")
def execute(recorder: RecordingScheduler, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Execute]:
    """Executes a component, given as WAT, on one runner."""
    folder = tmp_path_factory.mktemp("hostile")
    clients: dict[str, ComponentClient] = {}
    with start_runner(create_runner_settings(recorder.url, folder), cache_dir=folder / "cache") as url:

        def execute_component(wat: str, timeout_ms: int = 20_000) -> ExecutionResult:
            if wat not in clients:
                clients[wat] = ComponentClient(url, add_wat(folder / str(len(clients)), wat))
            return clients[wat].execute_request("POST", "/run", timeout_ms=timeout_ms)

        yield execute_component
        for client in clients.values():
            client.http.clear()


@pytest.mark.parametrize(
    ("wat", "failure"),
    [
        pytest.param(hostile.RECURSION, "wasm trap: call stack exhausted", id="deep recursion"),
        pytest.param(
            hostile.TRAP_IN_START, "wasm trap: wasm `unreachable` instruction executed", id="trap in start"
        ),
        pytest.param(
            hostile.HUGE_RESPONSE,
            "too much data is being copied between the host and the guest: fuel allocated for hostcalls has been "
            "exhausted",
            id="huge response",
        ),
        pytest.param(
            hostile.LARGE_RESPONSE, "the response would have more than 262144 bytes as JSON", id="large response"
        ),
        pytest.param(
            hostile.RESPONSE_OUT_OF_BOUNDS,
            "list pointer/length out of bounds of memory",
            id="response out of bounds",
        ),
        pytest.param(hostile.HUGE_LINE, MEMORY_FAILURE, id="line of 120 MB, which wasmtime copies"),
        pytest.param(
            hostile.grow_tables(12, 100_000, memory_pages=3_000), MEMORY_FAILURE, id="memory and tables together"
        ),
        pytest.param(
            hostile.instantiate_modules(8, "(memory 1)"),
            "resource limit exceeded: memory count too high at 9",
            id="many memories",
        ),
        pytest.param(
            hostile.instantiate_modules(33, "(table 1 funcref)"),
            "resource limit exceeded: table count too high at 33",
            id="many tables",
        ),
        pytest.param(
            hostile.instantiate_modules(1_000, ""),
            "resource limit exceeded: instance count too high at 201",
            id="many instances",
        ),
    ],
)  # fmt: skip
def test_failure_says_why(execute: Execute, wat: str, failure: str) -> None:
    assert execute(wat).failure == (500, f"execute_failed: {failure}")


@pytest.mark.parametrize(
    "wat",
    [
        pytest.param(hostile.ENDLESS_LOOP, id="endless loop"),
        pytest.param(hostile.LOOP_IN_START, id="endless loop in start"),
        pytest.param(hostile.SLEEP_FOR_AN_HOUR, id="sleep"),
    ],
)
def test_every_execution_ends_at_its_deadline(execute: Execute, wat: str) -> None:
    assert execute(wat, timeout_ms=400).failure == (500, f"execute_failed: {LATE}")


def test_all_memories_together_have_one_limit(execute: Execute) -> None:
    # 25 pieces of 10 MiB fit in the limit of 256 MiB. Each memory alone could have all of them.
    granted = execute(hostile.grow_memories(7, PAGES_OF_10_MIB)).response["status"]
    assert 22 <= granted <= 25


@pytest.mark.parametrize(
    "wat",
    [
        pytest.param(hostile.grow_tables(30, 10_000_000), id="thirty by ten million"),
        pytest.param(hostile.HUGE_TABLE_GROW, id="one by a thousand million"),
    ],
)
def test_large_table_is_refused_at_once(execute: Execute, wat: str) -> None:
    assert execute(wat).response["status"] in (0, 204)


def test_line_too_large_is_dropped_and_the_log_goes_on(
    execute: Execute, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "extension"):
        assert execute(hostile.LONG_LINE).response["status"] == 204
    lines = [message.partition("] ")[2] for message in caplog.messages if message.startswith("[request")]
    assert lines == ["(a line of 40000000 bytes, which is dropped)", "a"]


def test_log_has_a_budget(execute: Execute, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "extension"):
        assert execute(hostile.LOG_FLOOD).response["status"] == 204
    lines = [message.partition("] ")[2] for message in caplog.messages if message.startswith("[request")]
    # Each line costs its text and 64 bytes.
    assert lines[:-1] == ["a"] * (64 * 1024 // 65)
    assert lines[-1] == "the log exceeds 65536 bytes: a line of 1 bytes and all that follow are dropped"


def test_lines_logged_before_the_process_is_killed_are_kept(
    execute: Execute, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "extension"):
        assert "took longer" in execute(hostile.LOG_AND_SLEEP, timeout_ms=2_000).failure[1]
    assert any(message.endswith("] a") for message in caplog.messages)


def test_huge_payload_is_refused_before_it_is_read(execute: Execute, scheduler: RecordingScheduler) -> None:
    response = execute(hostile.HUGE_PAYLOAD).response
    assert (response["status"], b64decode(response["body_b64"])) == (204, b"Payload too large")
    assert scheduler.requests == []


def test_writes_beyond_the_budget_are_refused_with_a_text(
    execute: Execute, scheduler: RecordingScheduler
) -> None:
    response = execute(hostile.DELETE_FLOOD).response
    text = b"Too many scheduler calls (max 100 per run)"
    assert (response["status"], b64decode(response["body_b64"])) == (204, text)
    assert len(scheduler.requests) == 100


def test_reads_beyond_the_budget_exceed_the_quota(execute: Execute, scheduler: RecordingScheduler) -> None:
    scheduler.set_response(200, {"endpoints": []})
    quota_exceeded = 202  # the third error case
    assert execute(hostile.LIST_FLOOD).response["status"] == quota_exceeded
    assert len(scheduler.requests) == 100


def test_next_execution_has_its_own_budgets(execute: Execute, scheduler: RecordingScheduler) -> None:
    for _ in range(2):
        execute(hostile.DELETE_FLOOD)
    assert len(scheduler.requests) == 200


def test_killed_process_takes_no_response_with_it(probe: ComponentClient) -> None:
    request = probe.create_request("POST", "/echo", body=b"first")
    key = {"x-idempotency-key": "kept-while-a-worker-is-killed"}
    first = probe.post_request(request, **key)
    assert "took longer" in probe.execute_request("GET", "/sleep", timeout_ms=300).failure[1]
    other = probe.create_request("POST", "/echo", body=b"other")
    assert probe.post_request(other, **key) == first


def test_smaller_memory_limit_is_applied(recorder: RecordingScheduler, tmp_path: Path) -> None:
    settings = create_runner_settings(recorder.url, tmp_path, memory_bytes=64 * MEBIBYTE)
    with start_runner(settings, cache_dir=tmp_path / "cache") as url:
        wat = hostile.grow_memories(7, PAGES_OF_10_MIB)
        client = ComponentClient(url, add_wat(tmp_path / "memories", wat))
        assert client.execute_request("POST", "/run").response["status"] in (5, 6)
        client.http.clear()
