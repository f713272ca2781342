"""The worker processes, and how many executions there may be at once."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from runner.errors import AtCapacity
from runner.workers.process import WorkerProcess

logger = logging.getLogger(__name__)

MAX_IDLE_SECONDS = 60.0
WARN_SECONDS = 5.0


class _IdleWorker(NamedTuple):
    worker: WorkerProcess
    since: float


class WorkerPool:
    """Lends a worker process to each execution.

    A worker that its execution leaves unusable is killed. Its slot is free only when the operating system has ended it:
    what cannot be ended counts as an execution, and keeps others out.
    """

    def __init__(
        self, max_executions: int, start_worker: Callable[[], WorkerProcess] = WorkerProcess
    ) -> None:
        self._max_executions = max_executions
        self._start_worker = start_worker
        self._slots = threading.BoundedSemaphore(max_executions)
        self._lock = threading.Lock()
        self._idle: list[_IdleWorker] = []
        self._ending = 0

    @property
    def ending(self) -> int:
        """How many workers have been killed and have not ended yet."""
        return self._ending

    @contextmanager
    def borrow_worker(self) -> Iterator[WorkerProcess]:
        """Lend an idle worker, or else a new one.

        Raises:
            AtCapacity: As many executions as allowed are running or have not ended.
        """
        if not self._slots.acquire(blocking=False):
            raise AtCapacity(
                f"{self._max_executions} executions are running (MAX_EXECUTIONS), {self._ending} of them past their end"
            )
        try:
            worker = self._take_idle_worker() or self._start_worker()
        except BaseException:
            self._slots.release()
            raise
        try:
            worker.wait_until_ready()
            yield worker
        finally:
            self._return_worker(worker)

    def close(self) -> None:
        """End the idle workers."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker, _ in idle:
            worker.kill()
            worker.wait_for_exit(WARN_SECONDS)

    def _take_idle_worker(self) -> WorkerProcess | None:
        """Return the worker that was used last, whose memory is most likely in use."""
        with self._lock:
            return self._idle.pop().worker if self._idle else None

    def _return_worker(self, worker: WorkerProcess) -> None:
        if not worker.is_usable():
            return self._end_worker(worker, self._slots.release)
        now = time.monotonic()
        with self._lock:
            self._idle.append(_IdleWorker(worker, now))
            unused = self._idle.pop(0) if now - self._idle[0].since > MAX_IDLE_SECONDS else None
        self._slots.release()
        if unused:
            self._end_worker(unused.worker, lambda: None)
        return None

    def _end_worker(self, worker: WorkerProcess, on_exit: Callable[[], None]) -> None:
        """Kill a worker, and call `on_exit` once it has ended. Do not wait for that."""
        worker.kill()
        threading.Thread(
            target=self._wait_for_exit, args=(worker, on_exit), name="end worker", daemon=True
        ).start()

    def _wait_for_exit(self, worker: WorkerProcess, on_exit: Callable[[], None]) -> None:
        self._count_ending(1)
        while not worker.wait_for_exit(WARN_SECONDS):
            logger.error("a worker has been killed and has not ended; there are %d of them", self._ending)
        self._count_ending(-1)
        on_exit()

    def _count_ending(self, change: int) -> None:
        with self._lock:
            self._ending += change
