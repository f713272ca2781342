"""Interrupts a computing extension at its time limit."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from wasmtime import Engine


class EpochTimer:
    """Increments an engine's epoch once, when the time of the present call is up.

    It interrupts neither a sleep nor a single long instruction: the runner ends the process then.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._condition = threading.Condition()
        self._deadline: float | None = None
        threading.Thread(target=self._run, name="epoch", daemon=True).start()

    @contextmanager
    def interrupt_at(self, deadline: float) -> Iterator[None]:
        """Interrupt what runs in the block at `deadline`, on the monotonic clock."""
        self._set_deadline(deadline)
        try:
            yield
        finally:
            self._set_deadline(None)

    def _set_deadline(self, deadline: float | None) -> None:
        with self._condition:
            self._deadline = deadline
            self._condition.notify()

    def _run(self) -> None:
        with self._condition:
            while True:
                remaining = None if self._deadline is None else self._deadline - time.monotonic()
                if remaining is None or remaining > 0:
                    self._condition.wait(remaining)
                else:
                    self._engine.increment_epoch()
                    self._deadline = None
