"""How many executions there may be at once."""

import threading
import time
from typing import cast

import pytest

from runner.errors import AtCapacity, EngineInitFailed
from runner.workers import pool as pool_module
from runner.workers.pool import WorkerPool
from runner.workers.process import WorkerProcess


class StubWorker:
    """A worker whose end a test decides."""

    def __init__(self, *, usable: bool = True, can_end: bool = True) -> None:
        self.usable = usable
        self.killed = False
        self.may_end = threading.Event()
        if can_end:
            self.may_end.set()

    def wait_until_ready(self) -> None:
        pass

    def is_usable(self) -> bool:
        return self.usable

    def kill(self) -> None:
        self.killed = True

    def wait_for_exit(self, seconds: float) -> bool:
        return self.may_end.wait(seconds)


def create_pool(max_executions: int, *workers: StubWorker) -> WorkerPool:
    remaining = iter(workers)
    return WorkerPool(max_executions, lambda: cast(WorkerProcess, next(remaining)))


def test_usable_worker_is_lent_again() -> None:
    worker = StubWorker()
    pool = create_pool(1, worker)
    for _ in range(3):
        with pool.borrow_worker() as lent:
            assert lent is cast(WorkerProcess, worker)
    assert not worker.killed


def test_executions_beyond_the_limit_are_refused() -> None:
    pool = create_pool(2, StubWorker(), StubWorker())
    with pool.borrow_worker(), pool.borrow_worker():
        assert not can_borrow(pool)
    with pool.borrow_worker():
        pass


def test_unusable_worker_is_replaced() -> None:
    broken, other = StubWorker(usable=False), StubWorker()
    pool = create_pool(1, broken, other)
    with pool.borrow_worker():
        pass
    wait_until(lambda: pool.ending == 0 and broken.killed)
    with pool.borrow_worker() as lent:
        assert lent is cast(WorkerProcess, other)


def test_worker_that_cannot_be_ended_counts_until_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "WARN_SECONDS", 0.01)
    stuck = StubWorker(usable=False, can_end=False)
    pool = create_pool(1, stuck, StubWorker())
    with pool.borrow_worker():
        pass
    wait_until(lambda: pool.ending == 1)
    text = r"1 executions are running \(MAX_EXECUTIONS\), 1 of them past their end"
    with pytest.raises(AtCapacity, match=text), pool.borrow_worker():
        pass
    stuck.may_end.set()
    wait_until(lambda: pool.ending == 0)
    wait_until(lambda: can_borrow(pool))


def test_failed_start_frees_its_slot() -> None:
    def fail() -> WorkerProcess:
        raise EngineInitFailed("no memory")

    pool = WorkerPool(1, fail)
    for _ in range(2):
        with pytest.raises(EngineInitFailed), pool.borrow_worker():
            pass


def test_worker_unused_for_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "MAX_IDLE_SECONDS", -1.0)
    first, second = StubWorker(), StubWorker()
    pool = create_pool(2, first, second)
    with pool.borrow_worker():
        pass
    assert first.killed


def wait_until(condition: object) -> None:
    deadline = time.monotonic() + 30
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.005)


def can_borrow(pool: WorkerPool) -> bool:
    try:
        with pool.borrow_worker():
            return True
    except AtCapacity:
        return False
