"""What the simulated stacks have in common: the quotas that carry the load, and the executor's own time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduling.domain.install import CatchUp
from scheduling.settings import RunnerSettings

from bench.scale.loads import START

HANDLING_SECONDS = 0.1
"""Assumed: how long a delivery occupies the executor beside the runner's call."""

RUNNER_SETTINGS = RunnerSettings(
    stack_name="stack",
    runner_base_url="https://runner.example",
    runner_timeout_ms=30_000,
    runner_overhead_seconds=30,
)
"""The defaults: how long the executor waits for the runner, and before the attempt after that."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """The capacities that carry a load, by default AWS's quotas.

    Attributes:
        concurrency: How many occurrences run at once: the function's concurrency, or the mapping's.
        timer_rate: How many occurrences EventBridge Scheduler delivers a second.
        queue: Whether a queue is between timer and executor; else Lambda's asynchronous invocation is.
        groups: Whether the messages of a tenant are a group.
    """

    concurrency: int
    timer_rate: int = 1_000
    queue: bool = True
    groups: bool = True
    catch_up: CatchUp = CatchUp.LATEST


def moment_at(seconds: float) -> datetime:
    """Return the time so many seconds after the start."""
    return START + timedelta(seconds=seconds)


def seconds_at(moment: datetime) -> float:
    """Return the seconds after the start."""
    return (moment - START).total_seconds()
