"""Worker processes: what they can do, and that nothing of them is left."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from local.settings import PROJECT_ROOT
from runner.errors import EngineInitFailed, ExtensionTrap, TimeLimit
from runner.protocol import ContextData, Job
from runner.settings import DEFAULT_LIMITS
from runner.workers import process
from runner.workers.process import WorkerProcess, worker_environment
from tests.support.components import hostile
from tests.support.components.runner import add_wat, compile_component


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    worker = WorkerProcess()
    worker.wait_until_ready()
    yield worker
    worker.kill()
    assert worker.wait_for_exit(30)


def create_job(tmp_path: Path, wat: str, timeout_ms: int = 20_000) -> Job:
    return Job(
        component=str(compile_component(add_wat(tmp_path / str(uuid4()), wat))),
        context=ContextData("r", "t", "e", "i", "v"),
        method="POST",
        url="/run",
        headers={},
        body_b64=None,
        timeout_ms=timeout_ms,
        deadline=time.monotonic() + timeout_ms / 1000,
        may_schedule=False,
        limits=DEFAULT_LIMITS,
    )


def execute_job(worker: WorkerProcess, job: Job) -> tuple[int, bytes]:
    return worker.execute_job(job, lambda _body: None)


def test_worker_executes_jobs_one_after_the_other(worker: WorkerProcess, tmp_path: Path) -> None:
    job = create_job(tmp_path, hostile.build_component(""))
    assert [execute_job(worker, job)[0] for _ in range(2)] == [204, 204]
    assert worker.is_usable()


def test_interrupted_worker_is_usable_and_sleeping_one_is_not(
    worker: WorkerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 60.0)  # however slow this machine is
    with pytest.raises(TimeLimit):
        execute_job(worker, create_job(tmp_path, hostile.ENDLESS_LOOP, timeout_ms=300))
    assert worker.is_usable()
    monkeypatch.undo()
    with pytest.raises(TimeLimit):
        execute_job(worker, create_job(tmp_path, hostile.SLEEP_FOR_AN_HOUR, timeout_ms=300))
    assert not worker.is_usable()


def test_worker_that_holds_much_memory_is_not_usable(
    worker: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert worker.is_usable()
    monkeypatch.setattr(process, "MAX_IDLE_BYTES", 1024)
    assert not worker.is_usable()


def test_worker_that_dies_is_an_error_of_the_execution(worker: WorkerProcess, tmp_path: Path) -> None:
    worker.kill()
    with pytest.raises(ExtensionTrap, match="the worker process ended with status -9"):
        execute_job(worker, create_job(tmp_path, hostile.build_component("")))
    assert not worker.is_usable()


def test_worker_that_does_not_start_is_an_error_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    broken = WorkerProcess()
    with pytest.raises(EngineInitFailed, match="the worker process did not start: "):
        broken.wait_until_ready()
    assert broken.wait_for_exit(30)


def test_worker_has_no_token_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RUNNER_AUTH_TOKEN", "RUNNER_SERVICE_TOKEN", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "secret")
    assert "secret" not in worker_environment().values()


def test_operating_system_ends_a_worker_without_a_runner() -> None:
    # As a worker does before each job: no runner is there to kill it.
    code = (
        "import time; from runner.sandbox.process_limits import end_process_after; end_process_after(0.05); "
        "time.sleep(3600)"
    )
    completed = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, check=False)
    assert completed.returncode == -signal.SIGALRM


def test_worker_arms_the_alarm_of_the_operating_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 60.0)  # as if the runner killed nothing
    worker = WorkerProcess()
    worker.wait_until_ready()
    job = create_job(tmp_path, hostile.SLEEP_FOR_AN_HOUR, timeout_ms=100)
    with pytest.raises(ExtensionTrap, match=f"status -{signal.SIGALRM.value}"):
        execute_job(worker, job)
    assert worker.wait_for_exit(30)
