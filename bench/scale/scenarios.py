"""The loads that are simulated, each on several stacks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from scheduling.domain.install import CatchUp

from bench.scale.lambda_design import LambdaDesign
from bench.scale.ledger import Figures
from bench.scale.loads import HOUR, Load, create_load, full_hour, many_tenants, mixed_schedules, quiet_tenants
from bench.scale.queue_design import QueueDesign
from bench.scale.runner import QUICK, RunnerSpec
from bench.scale.stacks import Stack

BEFORE_ALL, BEFORE, NOW = "before, not limited", "before, limited", "now"
ACCOUNT = 1_000
"""Lambda's concurrent executions in an account, which a function without a limit of its own takes."""


@dataclass(frozen=True)
class Scenario:
    """A load, its runner, and the stacks that carry it, by their names in the tables."""

    title: str
    create_load: Callable[[], Load]
    runner: RunnerSpec
    stacks: Mapping[str, Stack]
    hours: int = 48

    def simulate(self, name: str) -> Figures:
        """Simulate the load on one of the stacks."""
        stack = self.stacks[name]
        design = QueueDesign if stack.queue else LambdaDesign
        return design(self.create_load(), stack, self.runner).run(self.hours * HOUR)


def both_designs(limit: int) -> dict[str, Stack]:
    """Return the design before, without and with a limit of its concurrency, and today's with that limit."""
    return {
        BEFORE_ALL: Stack(concurrency=ACCOUNT, queue=False),
        BEFORE: Stack(concurrency=limit, queue=False),
        NOW: Stack(concurrency=limit),
    }


def _small_hour() -> Load:
    return create_load(chain(full_hour(2_000), quiet_tenants(50, hours=3)))


def _million() -> Load:
    return create_load(chain(full_hour(1_000_000), many_tenants(3_000, hours=6)))


def _more_than_capacity() -> Load:
    return create_load(chain(full_hour(2_000, hours=8), quiet_tenants(50, hours=8)))


SMALL, RAISED, MILLION = "small", "raised", "million"
SCENARIOS: Mapping[str, Scenario] = {
    "burst": Scenario(
        "24 at one minute; a runner of 2 cores",
        lambda: create_load(full_hour(24)),
        RunnerSpec(2),
        both_designs(3),
    ),
    "alone": Scenario(
        "50 quiet tenants alone; 4 cores",
        lambda: create_load(quiet_tenants(50, hours=3)),
        RunnerSpec(4),
        {NOW: Stack(concurrency=5)},
    ),
    SMALL: Scenario(
        "2,000 of one tenant at 09:00, and 50 quiet tenants; 4 cores, the default `MaximumConcurrency`",
        _small_hour,
        RunnerSpec(4),
        {**both_designs(5), "now, without groups": Stack(concurrency=5, groups=False)},
    ),
    "outage": Scenario(
        "the same, and the runner returns 503 from 09:00 to 10:00",
        _small_hour,
        RunnerSpec(4, outage=(0, HOUR)),
        both_designs(5),
    ),
    "capacity": Scenario(
        "5,000 at 09:00; a runner that does not compile, and returns 503 beyond 50 at once",
        lambda: create_load(full_hour(5_000)),
        RunnerSpec(50, QUICK, capacity=50),
        {**both_designs(50), "now, 100 at once": Stack(concurrency=100)},
    ),
    "excess": Scenario(
        "three times the capacity: 2,000 of one tenant at each hour from 09:00 to 16:00, and 50 quiet tenants; 4 cores",
        _more_than_capacity,
        RunnerSpec(4),
        {
            BEFORE: Stack(concurrency=5, queue=False),
            NOW: Stack(concurrency=5),
            "now, `CatchUp` at `all`": Stack(concurrency=5, catch_up=CatchUp.ALL),
        },
    ),
    "mixed": Scenario(
        "10 million schedules in a mix, the busiest four hours, all at 1/250; "
        "a runner that does not compile, for 2 at once (500)",
        lambda: create_load(mixed_schedules(40_000, hours=4)),
        RunnerSpec(2, QUICK),
        {BEFORE: Stack(concurrency=2, timer_rate=4, queue=False), NOW: Stack(concurrency=2, timer_rate=4)},
    ),
    "many alone": Scenario(
        "3,000 quiet tenants alone; 32 cores, `MaximumConcurrency` 48",
        lambda: create_load(many_tenants(3_000, hours=6)),
        RunnerSpec(32),
        {NOW: Stack(concurrency=48)},
    ),
    "hundred thousand": Scenario(
        "the same, and 100,000 of one tenant at 09:00",
        lambda: create_load(chain(full_hour(100_000), many_tenants(3_000, hours=6))),
        RunnerSpec(32),
        both_designs(48),
        hours=23,
    ),
    MILLION: Scenario(
        "the same, and a million of one tenant at 09:00; until 21:00",
        _million,
        RunnerSpec(32),
        both_designs(48),
        hours=12,
    ),
    RAISED: Scenario(
        "… with EventBridge's quota raised to 20,000 invocations a second",
        _million,
        RunnerSpec(32),
        {NOW: Stack(concurrency=48, timer_rate=20_000)},
        hours=12,
    ),
}

LIMITS = (3, 4, 6, 9, 12, 15, 18, 30, 60)
"""Values of MaximumConcurrency, for a runner of four cores."""


def simulate_limit(limit: int) -> Figures:
    """Simulate 600 occurrences at one minute on a runner of four cores."""
    load = create_load(full_hour(600))
    return QueueDesign(load, Stack(concurrency=limit), RunnerSpec(4)).run(48 * HOUR)


def list_simulations() -> Iterator[tuple[str, str]]:
    """Yield the keys and the stacks' names of all simulations, the longest first."""
    names = [(key, name) for key, scenario in SCENARIOS.items() for name in scenario.stacks]
    return reversed(names)
