"""The cost of a million fires, from named prices and from what a fire uses."""

from dataclasses import dataclass

MILLION = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Prices in dollars, without free tiers; those of `US_EAST_1` as AWS listed them in November 2026."""

    scheduler_invocations: float
    """Per million."""
    queue_requests: float
    """Per million, standard queue, up to 64 KB each."""
    lambda_requests: float
    """Per million."""
    lambda_gb_second: float
    read_units: float
    """Per million, on demand."""
    write_units: float
    """Per million, on demand."""
    log_gb: float


US_EAST_1 = Prices(
    scheduler_invocations=1.00,
    queue_requests=0.40,
    lambda_requests=0.20,
    lambda_gb_second=0.0000133334,
    read_units=0.125,
    write_units=0.625,
    log_gb=0.50,
)

EXECUTOR_GB = 0.5
LOG_KB = 1
MESSAGE_REQUESTS = 3
"""Each message is sent, received and deleted."""

READ_UNITS, WRITE_UNITS = 5, 8
"""Of a fire: one read of five items, and two transactions of two items, each item counted twice."""

LARGE_READ_UNITS = 29
"""The same with a payload of 100 KB."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a fire uses, or what is done in its place."""

    timers: int = 1
    messages: int = 1
    seconds: float
    """How long the executor takes, most of which it waits for the runner."""
    read_units: int = READ_UNITS
    write_units: int = WRITE_UNITS


@dataclass(frozen=True)
class Cost:
    """Dollars per million."""

    scheduler: float
    queue: float
    function: float
    table: float
    logs: float

    @property
    def total(self) -> float:
        """The sum."""
        return self.scheduler + self.queue + self.function + self.table + self.logs


def cost_per_million(usage: Usage, prices: Prices = US_EAST_1) -> Cost:
    """Return the cost of a million of them."""
    return Cost(
        scheduler=usage.timers * prices.scheduler_invocations,
        queue=usage.messages * MESSAGE_REQUESTS * prices.queue_requests,
        function=prices.lambda_requests + MILLION * usage.seconds * EXECUTOR_GB * prices.lambda_gb_second,
        table=usage.read_units * prices.read_units + usage.write_units * prices.write_units,
        logs=LOG_KB * prices.log_gb,
    )


IDLE_POLLERS, POLL_SECONDS, MONTH_SECONDS = 5, 20, 30 * 86_400


def idle_queue_per_month(prices: Prices = US_EAST_1) -> float:
    """Return what an empty queue costs a month: Lambda's pollers receive nothing, each for 20 seconds at a time."""
    return IDLE_POLLERS * MONTH_SECONDS / POLL_SECONDS * prices.queue_requests / MILLION


USAGES = {
    "a fire of one second": Usage(seconds=1),
    "the same before the queue": Usage(seconds=1, messages=0),
    "the same with a payload of 100 KB": Usage(seconds=1, read_units=LARGE_READ_UNITS),
    "a fire on a deployed runner, which answers after 20 s": Usage(seconds=20),
    "on a deployed runner at the largest `MaximumConcurrency`: after 30 s": Usage(seconds=30),
    "each wait for a runner without capacity": Usage(timers=0, seconds=0.1),
    "each occurrence that is passed over": Usage(seconds=0.1, read_units=15, write_units=1),
    "each further attempt, of one second": Usage(timers=0, seconds=1),
}
