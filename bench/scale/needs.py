"""What a load needs of the runner and of AWS's quotas, by arithmetic."""

from dataclasses import dataclass
from math import ceil

CPU_SECONDS = 20
"""Of an execution on a deployed runner."""

OVERHEAD_SECONDS = 30
"""The default of RunnerOverheadSeconds: how long the runner may take to compile."""

QUICK_SECONDS = 2.75
"""Of a run on a runner that does not compile, as in the simulation."""

MAX_CONCURRENCY = 1_000
"""The largest MaximumConcurrency that AWS allows."""

WRITE_UNITS = 8


@dataclass(frozen=True)
class Need:
    """A number of occurrences, and the seconds within which they have to run."""

    name: str
    occurrences: int
    seconds: int

    @property
    def per_second(self) -> float:
        """How many run a second."""
        return self.occurrences / self.seconds

    @property
    def cores(self) -> int:
        """The cores of a deployed runner."""
        return ceil(self.per_second * CPU_SECONDS)

    @property
    def quick_runs(self) -> int:
        """How many runs at once, of a runner that does not compile."""
        return ceil(self.per_second * QUICK_SECONDS)

    @property
    def write_units(self) -> int:
        """The table's write units a second."""
        return ceil(self.per_second * WRITE_UNITS)


def largest_concurrency(cores: int, overhead_seconds: int = OVERHEAD_SECONDS) -> int:
    """Return the largest MaximumConcurrency that leaves each of so many compilations enough of the cores."""
    return cores * overhead_seconds // CPU_SECONDS


NEEDS = (
    Need("10,000 of a full hour, within it", 10_000, 3_600),
    Need("100,000 of a full hour, within it", 100_000, 3_600),
    Need("a million a day", 1_000_000, 86_400),
    Need("10 million schedules in the mix above: 61.7 million a day", 61_700_000, 86_400),
)
