"""The simulation behind docs/scale.md."""

from dataclasses import replace

import pytest

from bench.scale.loads import SCHEDULES, daily_by_hour
from bench.scale.model import LoadStack, Outcome, Simulation

BURST = {0: 20_000, 600: 5_000}
STACKS = {
    "nothing reserved": LoadStack(runner=100),
    "spread": LoadStack(runner=100, spread=240),
    "reserved": LoadStack(concurrency=100, runner=100),
    "short-lived events": LoadStack(concurrency=10, runner=100, event_age=60),
    "queue": LoadStack(concurrency=100, runner=100, queue=True),
    "cut short": LoadStack(concurrency=1, runner=1, event_age=21_600),
}


def simulate(stack: LoadStack) -> Outcome:
    return Simulation(stack, BURST).run(3_600)


@pytest.mark.parametrize("name", STACKS)
def test_every_occurrence_is_accounted_for(name: str) -> None:
    outcome = simulate(STACKS[name])

    started = sum(sum(starts.values()) for starts in outcome.starts.values())
    assert started + outcome.dead_lettered + outcome.expired + outcome.waiting == sum(BURST.values())
    assert outcome == simulate(STACKS[name])


def test_full_runner_dead_letters_unthrottled_events() -> None:
    assert simulate(STACKS["nothing reserved"]).dead_lettered > 10_000
    reserved = simulate(STACKS["reserved"])
    assert (reserved.dead_lettered, reserved.expired, reserved.peak_running) == (0, 0, 100)


def test_expired_events_are_lost() -> None:
    assert simulate(STACKS["short-lived events"]).expired > 0
    assert simulate(replace(STACKS["short-lived events"], queue=True)).expired == 0


def test_runs_take_their_configured_duration() -> None:
    outcome = Simulation(LoadStack(concurrency=100, runner=100, queue=True), {0: 100_000}).run(100_000)

    (starts,) = outcome.starts.values()
    assert max(starts) == pytest.approx(100_000 * 2.75 / 100, rel=0.05)


def test_daily_occurrences_add_up_to_all_schedules() -> None:
    hours = daily_by_hour(SCHEDULES)

    assert sum(hours) == pytest.approx(SCHEDULES, abs=24)
    assert hours[0] == max(hours)
