"""How often, and for how long, a step is retried."""

import random
import time
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from unittest.mock import create_autospec

import pytest
from scheduling.clients.queue import OccurrenceQueue
from scheduling.clients.scheduler import TimerClient
from scheduling.domain.errors import Conflict, Unavailable
from scheduling.domain.install import Limits
from scheduling.operations.services import Services, retries_bounded_by, retry_on_conflict
from scheduling.store.installs import InstallStore
from scheduling.store.runs import ManualRunStore, RunStore
from scheduling.store.schedules import ScheduleStore
from scheduling.store.sweeps import SweepStore
from scheduling.store.tenants import TenantStore


@pytest.fixture
def elapsed() -> list[float]:
    return [time.monotonic()]


@pytest.fixture
def services(elapsed: list[float]) -> Services:
    def sleep(seconds: float) -> None:
        elapsed[0] += seconds

    parts: dict[str, Any] = {
        "tenants": create_autospec(TenantStore),
        "manual_runs": create_autospec(ManualRunStore),
        "installs": create_autospec(InstallStore),
        "schedules": create_autospec(ScheduleStore),
        "runs": create_autospec(RunStore),
        "timers": create_autospec(TimerClient),
        "queue": create_autospec(OccurrenceQueue),
        "sweeps": create_autospec(SweepStore),
    }
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return Services(**parts, limits=Limits(), clock=lambda: now, sleep=sleep, monotonic=lambda: elapsed[0])


class ConflictingStep:
    """Conflicts the given number of times, and then succeeds."""

    def __init__(self, conflicts: float) -> None:
        self.remaining_conflicts, self.attempts = conflicts, 0

    def __call__(self) -> str:
        self.attempts += 1
        if self.remaining_conflicts > 0:
            self.remaining_conflicts -= 1
            raise Conflict
        return "done"


def test_conflicting_step_is_retried(services: Services) -> None:
    assert services.retry(ConflictingStep(conflicts=3)) == "done"


def test_waits_double_from_20_to_500_milliseconds(
    services: Services, elapsed: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: high if low == 0 else -1)
    elapsed[0] = 0.0
    ends: list[float] = []

    def conflict_seven_times() -> None:
        ends.append(elapsed[0])
        if len(ends) <= 7:
            raise Conflict

    services.retry(conflict_seven_times)

    waits = [after - before for before, after in pairwise(ends)]
    assert waits == pytest.approx([0.02, 0.04, 0.08, 0.16, 0.32, 0.5, 0.5])


def test_retries_end_after_eight_seconds(services: Services, elapsed: list[float]) -> None:
    started_at = elapsed[0]

    with pytest.raises(Unavailable):
        services.retry(ConflictingStep(conflicts=float("inf")))

    assert 8 <= elapsed[0] - started_at < 8.5


def test_no_retry_outlasts_the_function(services: Services, elapsed: list[float]) -> None:
    started_at = elapsed[0]

    with retries_bounded_by(12), pytest.raises(Unavailable):
        services.retry(ConflictingStep(conflicts=float("inf")))

    assert elapsed[0] - started_at < 3


@pytest.mark.parametrize(
    ("seconds", "attempts"),
    [
        pytest.param(9.9, 0, id="less than one request may take"),
        pytest.param(10.1, 1, id="more than one request may take"),
    ],
)
def test_no_step_runs_without_time_left(
    services: Services, elapsed: list[float], monkeypatch: pytest.MonkeyPatch, seconds: float, attempts: int
) -> None:
    """Ten seconds must be left, the longest that one request takes."""
    monkeypatch.setattr(time, "monotonic", lambda: elapsed[0])
    step = ConflictingStep(conflicts=0)

    with retries_bounded_by(seconds), suppress(Unavailable):
        services.retry(step)

    assert step.attempts == attempts


def test_deadline_does_not_carry_over_to_the_next_invocation(services: Services) -> None:
    with retries_bounded_by(0):
        pass

    assert services.retry(ConflictingStep(conflicts=0)) == "done"


def test_decorated_operation_is_retried_with_its_arguments(services: Services) -> None:
    step = ConflictingStep(conflicts=2)

    @retry_on_conflict
    def operate(_services: Services, number: int, *, name: str) -> str:
        return f"{name} {number} {step()}"

    assert operate(services, 1, name="step") == "step 1 done"
    assert (step.attempts, operate.__name__) == (3, "operate")
