"""A time limit that holds even where the extension sleeps inside WASI, which no epoch interrupts."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from runner.errors import TimeLimit

T = TypeVar("T")

# The epoch comes first, so that an extension that computes is really ended.
GRACE_SECONDS = 0.2


def run_with_time_limit(seconds: float, function: Callable[[], T]) -> T:
    """The result of `function`. Raises TimeLimit when there is none in time; its thread is left to itself."""
    future: Future[T] = Future()
    threading.Thread(target=_resolve_future, args=(future, function), name="extension", daemon=True).start()
    try:
        return future.result(seconds + GRACE_SECONDS)
    except TimeoutError:
        raise TimeLimit(f"the extension took longer than {seconds * 1000:.0f} ms") from None


def _resolve_future(future: Future[T], function: Callable[[], T]) -> None:
    try:
        future.set_result(function())
    except Exception as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
        future.set_exception(error)
