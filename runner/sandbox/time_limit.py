"""A time limit that also covers an extension that sleeps inside WASI, which epochs do not interrupt."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import TypeVar

from runner.errors import TimeLimit

T = TypeVar("T")

# The epoch interrupts first, so that a computing extension is stopped and not just abandoned.
GRACE_SECONDS = 0.2


def run_with_time_limit(seconds: float, function: Callable[[], T]) -> T:
    """Return the result of `function`.

    Raises:
        TimeLimit: There is no result in time. The thread of `function` is abandoned.
    """
    future: Future[T] = Future()
    # In this context, so that what the thread logs has the request id.
    arguments = (_resolve_future, future, function)
    threading.Thread(target=copy_context().run, args=arguments, name="extension", daemon=True).start()
    try:
        return future.result(seconds + GRACE_SECONDS)
    except TimeoutError:
        raise TimeLimit(f"the extension took longer than {seconds * 1000:.0f} ms") from None


def _resolve_future(future: Future[T], function: Callable[[], T]) -> None:
    try:
        future.set_result(function())
    except Exception as error:  # noqa: BLE001 - the waiting thread raises it
        future.set_exception(error)
