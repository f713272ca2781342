"""The state of the stack's parts."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError

from local.health import (
    Health,
    PartFailed,
    check_reconciler,
    check_runner,
    check_table,
    check_thread,
)
from local.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class StubWorker:
    last_error: str | None = None


class StubChild:
    def __init__(self, log: Path, *, running: bool) -> None:
        self.log = log
        self._running = running

    def is_running(self) -> bool:
        return self._running


class StubRules:
    last_run_at = "2026-11-23T09:00:00Z"

    def __init__(self, results: Mapping[str, Any]) -> None:
        self.last_results = results


class StubTemplate:
    attributes = {"Table": {"Ref": "the-table"}}  # noqa: RUF012 (never changed)

    def properties_by_type(self, _resource_type: str) -> list[str]:
        return ["Table"]


class StubDynamoDb:
    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def describe_table(self, TableName: str) -> Any:  # noqa: N803 (DynamoDB's name)
        if self._error:
            raise self._error
        return {"Table": {"TableStatus": "ACTIVE", "TableName": TableName}}


class StubAws:
    def __init__(self, error: Exception | None = None) -> None:
        self.dynamodb = StubDynamoDb(error)


@pytest.fixture
def thread() -> Iterator[Thread]:
    stop = Event()
    running = Thread(target=stop.wait, daemon=True)
    running.start()
    yield running
    stop.set()


def test_failing_part_is_named(thread: Thread) -> None:
    worker, health = StubWorker(), Health({"extensions": "/extensions"})
    health.add_part("queue", check_thread(thread, worker))
    health.add_part("clock", lambda: {"now": "2026-11-23T09:00:00Z"})
    starting = health.describe()
    health.ready = True
    ready = health.describe()
    worker.last_error = "polling queue failed: no"
    failing = health.describe()
    clock = {"status": "ok", "now": "2026-11-23T09:00:00Z"}
    state = {"extensions": "/extensions", "parts": {"queue": {"status": "ok"}, "clock": clock}}
    assert starting == (False, {"status": "starting", **state})
    assert ready == (True, {"status": "ok", **state})
    queue = {"status": "failing", "error": "polling queue failed: no"}
    assert failing == (
        False,
        {"status": "failing", "failing": ["queue"], **state, "parts": {"queue": queue, "clock": clock}},
    )


def test_thread_that_has_ended_fails() -> None:
    thread = Thread(target=str)
    thread.start()
    thread.join()
    with pytest.raises(PartFailed, match=r"its thread has ended; functions\.log says why"):
        check_thread(thread, StubWorker())()


def test_reconciler_fails_with_its_last_run() -> None:
    assert check_reconciler(cast(Any, StubRules({"Reconcile": {"repaired": 0}})))() == {
        "lastRunAt": "2026-11-23T09:00:00Z"
    }
    failed = {"Reconcile": {"errorType": "KeyError", "errorMessage": "'a'"}}
    with pytest.raises(PartFailed, match="Reconcile: KeyError: 'a'"):
        check_reconciler(cast(Any, StubRules(failed)))()


def test_table_fails_with_its_server(tmp_path: Path) -> None:
    template = cast(Any, StubTemplate())
    log = tmp_path / "moto.log"
    assert check_table(cast(Any, StubAws()), template, cast(Any, StubChild(log, running=True)))() == {
        "name": "the-table",
        "tableStatus": "ACTIVE",
    }
    with pytest.raises(PartFailed, match=rf"moto has ended \(see {log}\)"):
        check_table(cast(Any, StubAws()), template, cast(Any, StubChild(log, running=False)))()
    error = EndpointConnectionError(endpoint_url="http://127.0.0.1:9")
    with pytest.raises(PartFailed, match="Could not connect"):
        check_table(cast(Any, StubAws(error)), template, None)()


def test_runner_of_the_user_is_not_called() -> None:
    settings = Settings(runner_base_url="http://127.0.0.1:9")
    health = Health()
    health.ready = True
    health.add_part("runner", check_runner(settings, None))
    assert health.describe() == (
        True,
        {"status": "ok", "parts": {"runner": {"status": "not checked", "url": "http://127.0.0.1:9"}}},
    )


@pytest.mark.parametrize(
    ("running", "text"), [(False, "the runner has ended"), (True, "the runner does not answer: ConnectError")]
)
def test_runner_that_does_not_answer_fails(running: bool, text: str, tmp_path: Path) -> None:
    runner = StubChild(tmp_path / "runner.log", running=running)
    with pytest.raises(PartFailed, match=text):
        check_runner(Settings(runner_port=9), cast(Any, runner))()
