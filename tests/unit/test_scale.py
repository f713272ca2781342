"""The simulation behind docs/scale.md."""

from dataclasses import replace

import pytest

from bench.scale.loads import SCHEDULES, daily_by_hour
from bench.scale.model import Outcome, Simulation, Stack

BURST = {0: 20_000, 600: 5_000}
STACKS = {
    "nothing reserved": Stack(runner=100),
    "spread": Stack(runner=100, spread=240),
    "reserved": Stack(concurrency=100, runner=100),
    "short-lived events": Stack(concurrency=10, runner=100, event_age=60),
    "queue": Stack(concurrency=100, runner=100, queue=True),
    "cut short": Stack(concurrency=1, runner=1, event_age=21_600),
}


def outcome_of(stack: Stack) -> Outcome:
    return Simulation(stack, BURST).run(3_600)


@pytest.mark.parametrize("name", STACKS)
def test_every_occurrence_comes_to_something(name: str) -> None:
    outcome = outcome_of(STACKS[name])

    begun = sum(sum(each.values()) for each in outcome.begun.values())
    assert begun + outcome.dead + outcome.expired + outcome.waiting == sum(BURST.values())
    assert outcome == outcome_of(STACKS[name])


def test_a_runner_that_is_full_kills_what_no_concurrency_holds_back() -> None:
    assert outcome_of(STACKS["nothing reserved"]).dead > 10_000
    reserved = outcome_of(STACKS["reserved"])
    assert (reserved.dead, reserved.expired, reserved.peak_running) == (0, 0, 100)


def test_what_outlives_its_age_is_lost() -> None:
    assert outcome_of(STACKS["short-lived events"]).expired > 0
    assert outcome_of(replace(STACKS["short-lived events"], queue=True)).expired == 0


def test_runs_take_as_long_as_they_are_said_to() -> None:
    outcome = Simulation(Stack(concurrency=100, runner=100, queue=True), {0: 100_000}).run(100_000)

    (begun,) = outcome.begun.values()
    assert max(begun) == pytest.approx(100_000 * 2.75 / 100, rel=0.05)


def test_daily_rules_are_those_of_all_schedules() -> None:
    hours = daily_by_hour(SCHEDULES)

    assert sum(hours) == pytest.approx(SCHEDULES, abs=24)
    assert hours[0] == max(hours)
