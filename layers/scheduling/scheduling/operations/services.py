"""What an operation works with."""

import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from scheduling.clients.scheduler import TimerClient
from scheduling.domain.errors import Conflict, Unavailable
from scheduling.domain.install import Limits
from scheduling.store.installs import InstallStore
from scheduling.store.runs import ManualRunStore, RunStore
from scheduling.store.schedules import ScheduleStore
from scheduling.store.sweeps import SweepStore
from scheduling.store.tenants import TenantStore

_RETRY_SECONDS = 8.0
_REQUEST_TIMEOUT_SECONDS = 10.0
"""What one request to a system that does not answer may take, all its attempts together."""
_FIRST_BACKOFF_SECONDS = 0.02
_MAX_BACKOFF_SECONDS = 0.5
_T = TypeVar("_T")
_Errors = tuple[type[Exception], ...]
_retry_deadline: ContextVar[float] = ContextVar("retry_deadline", default=math.inf)


@contextmanager
def retries_bounded_by(seconds: float) -> Iterator[None]:
    """Let no operation inside try again what could not end in that time, which its function has left."""
    token = _retry_deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _retry_deadline.reset(token)


@dataclass(frozen=True, slots=True)
class Services:
    """What an operation works with."""

    tenants: TenantStore
    installs: InstallStore
    schedules: ScheduleStore
    runs: RunStore
    manual_runs: ManualRunStore
    timers: TimerClient
    sweeps: SweepStore
    limits: Limits
    clock: Callable[[], datetime]
    sleep: Callable[[float], None] = field(default=time.sleep)
    monotonic: Callable[[], float] = field(default=time.monotonic)
    parallelism: int = 1
    """How many installs, or timers, the full sweep looks at at the same time."""

    def retry(self, step: Callable[[], _T], retry_on: _Errors = (Conflict,)) -> _T:
        """The result of `step`, which reads and then writes; again, after a jitter, for as long as it conflicts.

        Raises Unavailable in the end, which comes early enough to be told.
        """
        deadline = min(self.monotonic() + _RETRY_SECONDS, _retry_deadline.get() - _REQUEST_TIMEOUT_SECONDS)
        ceiling = _FIRST_BACKOFF_SECONDS
        while self.monotonic() < deadline:
            try:
                return step()
            except retry_on:
                self.sleep(random.uniform(0, ceiling))  # noqa: S311 - spreads load, guards nothing
                ceiling = min(ceiling * 2, _MAX_BACKOFF_SECONDS)
        raise Unavailable("Too many concurrent changes, please try again")


PENDING_GRACE = timedelta(seconds=60)
"""How long an operation in progress is left alone by the reconciler: longer than any function may take."""
