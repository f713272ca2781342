"""What an operation works with."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from scheduling.domain.errors import Unavailable
from scheduling.domain.limits import Limits
from scheduling.operations.ports import Conflict, Installs, Runs, Schedules, Sweeps, Timers

_RETRY_SECONDS = 8.0
_FIRST_BACKOFF_SECONDS = 0.02
_LONGEST_BACKOFF_SECONDS = 0.5
_T = TypeVar("_T")
_Errors = tuple[type[Exception], ...]


@dataclass(frozen=True, slots=True)
class Services:
    """What an operation works with."""

    installs: Installs
    schedules: Schedules
    runs: Runs
    timers: Timers
    sweeps: Sweeps
    limits: Limits
    clock: Callable[[], datetime]
    sleep: Callable[[float], None] = field(default=time.sleep)

    def retry(self, step: Callable[[], _T], on: _Errors = (Conflict,)) -> _T:
        """The result of `step`, which reads and then writes; again, after a jitter, for as long as it conflicts.

        Raises Unavailable in the end.
        """
        deadline = time.monotonic() + _RETRY_SECONDS
        ceiling = _FIRST_BACKOFF_SECONDS
        while time.monotonic() < deadline:
            try:
                return step()
            except on:
                self.sleep(random.uniform(0, ceiling))  # noqa: S311 - spreads load, guards nothing
                ceiling = min(ceiling * 2, _LONGEST_BACKOFF_SECONDS)
        raise Unavailable("Too many concurrent changes, please try again")


PENDING_GRACE = timedelta(seconds=60)
"""How long an operation in progress is left alone by the reconciler: longer than any function may take."""
