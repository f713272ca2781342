"""What an operation works with, and how it retries after a conflict."""

import logging
import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from scheduling.clients.queue import OccurrenceQueue
from scheduling.clients.scheduler import TimerClient
from scheduling.domain.errors import Conflict, Unavailable, UnreadableItem
from scheduling.domain.ids import ScheduleId, ScheduleIdGenerator
from scheduling.domain.install import Install, Limits
from scheduling.domain.runs import Run
from scheduling.store.installs import InstallStore
from scheduling.store.runs import ManualRunStore, RunStore
from scheduling.store.schedules import ScheduleStore
from scheduling.store.sweeps import SweepStore
from scheduling.store.tenants import TenantStore

logger = logging.getLogger(__name__)
_RETRY_SECONDS = 8.0
_REQUEST_TIMEOUT_SECONDS = 10.0
"""How long one request to a system that does not respond may take, all its attempts together."""
_FIRST_BACKOFF_SECONDS = 0.02
_MAX_BACKOFF_SECONDS = 0.5
_T = TypeVar("_T")
_P = ParamSpec("_P")
_Errors = tuple[type[Exception], ...]
_retry_deadline: ContextVar[float] = ContextVar("retry_deadline", default=math.inf)
_only_tenant: ContextVar[str | None] = ContextVar("only_tenant", default=None)


@contextmanager
def retries_bounded_by(seconds: float) -> Iterator[None]:
    """Stop the operations inside from retrying what could not end within the time that their function has left."""
    token = _retry_deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _retry_deadline.reset(token)


@contextmanager
def limited_to_tenant(tenant_id: str | None) -> Iterator[None]:
    """Let operations inside find installs of this tenant only; None does not limit them.

    A context rather than an argument, so that no operation for an extension can forget the check.
    """
    token = _only_tenant.set(tenant_id)
    try:
        yield
    finally:
        _only_tenant.reset(token)


def is_tenant_allowed(tenant_id: str) -> bool:
    """Return whether `limited_to_tenant` lets operations find installs of the tenant."""
    return _only_tenant.get() in (None, tenant_id)


def _ignore(_subject: object) -> None:
    """Add nothing to the log's context."""


def _log_unreadable(item: UnreadableItem) -> None:
    logger.warning("%s", item)


@dataclass(frozen=True, slots=True)
class Services:
    """What an operation works with."""

    tenants: TenantStore
    installs: InstallStore
    schedules: ScheduleStore
    runs: RunStore
    manual_runs: ManualRunStore
    timers: TimerClient
    queue: OccurrenceQueue
    sweeps: SweepStore
    limits: Limits
    clock: Callable[[], datetime]
    sleep: Callable[[float], None] = field(default=time.sleep)
    monotonic: Callable[[], float] = field(default=time.monotonic)
    new_schedule_id: Callable[[datetime], ScheduleId] = field(default=ScheduleIdGenerator().new_id)
    sweep_parallelism: int = 1
    """How many installs, or timers, the full sweep checks at the same time."""
    bind_install: Callable[[Install], None] = field(default=_ignore)
    """Names the install that the operation works for in the log lines and metrics that follow."""
    bind_run: Callable[[Run], None] = field(default=_ignore)
    """Names the attempt that the operation makes in the log lines and metrics that follow."""
    report_unreadable: Callable[[UnreadableItem], None] = field(default=_log_unreadable)
    """Logs and counts an item that cannot be read, and that the operation leaves out."""
    lease: timedelta = timedelta(minutes=2)
    """How long an attempt keeps others from starting; the executor's is derived from the runner's time limit."""
    retry_delay: timedelta = timedelta(minutes=1)
    """How long an unanswered attempt may still be executed by the runner; derived as the lease is."""

    def retry(self, step: Callable[[], _T], retry_on: _Errors = (Conflict,)) -> _T:
        """Return the result of `step`, which reads and then writes; repeat it with jitter while it conflicts.

        Raises:
            Unavailable: The step still conflicts, early enough for the caller to get this response.
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


def retry_on_conflict(
    operation: Callable[Concatenate[Services, _P], _T],
) -> Callable[Concatenate[Services, _P], _T]:
    """Repeat the operation, as `Services.retry` does, while something that it has read changes before it writes."""

    @wraps(operation)
    def run(services: Services, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return services.retry(lambda: operation(services, *args, **kwargs))

    return run
