"""The arithmetic of what fires cost."""

import re
from pathlib import Path

import pytest

from bench.scale.cost import (
    LARGE_READ_UNITS,
    READ_UNITS,
    USAGES,
    WRITE_UNITS,
    Prices,
    Usage,
    cost_per_million,
    idle_queue_per_month,
)
from bench.units import LARGE_MIN_UNITS, MIN_UNITS

ROUND_PRICES = Prices(
    scheduler_invocations=1,
    queue_requests=10,
    lambda_requests=100,
    lambda_gb_second=0.001,
    read_units=10_000,
    write_units=100_000,
    log_gb=3,
)


def test_cost_is_usage_times_price() -> None:
    cost = cost_per_million(Usage(timers=1, messages=2, seconds=4, read_units=5, write_units=6), ROUND_PRICES)

    assert cost.scheduler == 1
    assert cost.queue == 2 * 3 * 10
    assert cost.function == pytest.approx(100 + 4 * 0.5 * 1_000)
    assert cost.table == 5 * 10_000 + 6 * 100_000
    assert cost.logs == 3
    assert cost.total == pytest.approx(1 + 60 + 2_100 + 650_000 + 3)


@pytest.mark.parametrize(
    ("name", "dollars"),
    [
        ("a fire of one second", 1.00 + 1.20 + 0.20 + 6.6667 + 0.625 + 5.00 + 0.50),
        ("the same before the queue", 1.00 + 0.20 + 6.6667 + 0.625 + 5.00 + 0.50),
        (
            "on a deployed runner at the largest `MaximumConcurrency`: after 30 s",
            1.00 + 1.20 + 0.20 + 200.001 + 6.125,
        ),
        ("each occurrence that is passed over", 1.00 + 1.20 + 0.20 + 0.66667 + 1.875 + 0.625 + 0.50),
    ],
)
def test_cost_in_us_east_1(name: str, dollars: float) -> None:
    assert cost_per_million(USAGES[name]).total == pytest.approx(dollars, abs=0.001)


def test_fires_use_the_units_that_the_bench_counts() -> None:
    assert MIN_UNITS["fire"] == (READ_UNITS, WRITE_UNITS)
    assert LARGE_MIN_UNITS["fire"] == (LARGE_READ_UNITS, WRITE_UNITS)


def test_an_idle_queue_costs_its_polls() -> None:
    assert idle_queue_per_month() == pytest.approx(5 * 3 * 60 * 24 * 30 * 0.40 / 1_000_000)


def test_operations_page_has_the_same_cost_of_a_fire() -> None:
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
    (row,) = re.findall(r"^\| fire \|.*\*\*([0-9.]+)\*\* \|$", page, re.MULTILINE)

    assert float(row) == round(cost_per_million(USAGES["a fire of one second"]).total, 2)
