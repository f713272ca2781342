"""How long a step is tried again."""

import time
from datetime import UTC, datetime
from typing import Any
from unittest.mock import create_autospec

import pytest
from scheduling.clients.scheduler import TimerClient
from scheduling.domain.errors import Conflict, Unavailable
from scheduling.domain.install import Limits
from scheduling.operations.services import Services, retries_bounded_by
from scheduling.store.installs import InstallStore
from scheduling.store.runs import ManualRunStore, RunStore
from scheduling.store.schedules import ScheduleStore
from scheduling.store.sweeps import SweepStore
from scheduling.store.tenants import TenantStore


@pytest.fixture
def waited() -> list[float]:
    return [time.monotonic()]


@pytest.fixture
def services(waited: list[float]) -> Services:
    def sleep(seconds: float) -> None:
        waited[0] += seconds

    parts: dict[str, Any] = {
        "tenants": create_autospec(TenantStore),
        "manual_runs": create_autospec(ManualRunStore),
        "installs": create_autospec(InstallStore),
        "schedules": create_autospec(ScheduleStore),
        "runs": create_autospec(RunStore),
        "timers": create_autospec(TimerClient),
        "sweeps": create_autospec(SweepStore),
    }
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return Services(**parts, limits=Limits(), clock=lambda: now, sleep=sleep, monotonic=lambda: waited[0])


class Step:
    """Conflicts so many times, and then succeeds."""

    def __init__(self, conflicts: float) -> None:
        self.left, self.taken = conflicts, 0

    def __call__(self) -> str:
        self.taken += 1
        if self.left > 0:
            self.left -= 1
            raise Conflict
        return "done"


def test_a_step_that_conflicts_is_taken_again(services: Services) -> None:
    assert services.retry(Step(conflicts=3)) == "done"


def test_what_goes_on_conflicting_ends_after_eight_seconds(services: Services, waited: list[float]) -> None:
    began = waited[0]

    with pytest.raises(Unavailable):
        services.retry(Step(conflicts=float("inf")))

    assert 8 <= waited[0] - began < 8.5


def test_nothing_is_tried_again_that_could_not_end_before_the_function(
    services: Services, waited: list[float]
) -> None:
    began = waited[0]

    with retries_bounded_by(12), pytest.raises(Unavailable):
        services.retry(Step(conflicts=float("inf")))

    assert waited[0] - began < 3


def test_with_no_time_left_nothing_is_begun(services: Services) -> None:
    step = Step(conflicts=0)

    with retries_bounded_by(9), pytest.raises(Unavailable):
        services.retry(step)

    assert step.taken == 0


def test_the_end_of_one_invocation_says_nothing_of_the_next(services: Services) -> None:
    with retries_bounded_by(0):
        pass

    assert services.retry(Step(conflicts=0)) == "done"
