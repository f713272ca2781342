"""The simulation behind docs/scale.md: its models, and the page that it writes."""

import json
from dataclasses import replace
from functools import cache
from itertools import chain
from random import Random
from typing import Any

import pytest
from scheduling.domain.runs import RunStatus

from bench.scale.__main__ import PICTURE, RESULTS, draw_picture
from bench.scale.fair_queue import FairQueue
from bench.scale.lambda_design import LambdaDesign
from bench.scale.ledger import Figures
from bench.scale.loads import HOUR, create_load, daily_by_hour, full_hour, quiet_tenants
from bench.scale.needs import largest_concurrency
from bench.scale.page import PAGE, format_seconds, update_page
from bench.scale.queue_design import QueueDesign
from bench.scale.runner import QUICK, Runner, RunnerSpec
from bench.scale.scenarios import SCENARIOS, simulate_limit
from bench.scale.stacks import Stack

NOISY_HOUR = create_load(chain(full_hour(100), quiet_tenants(20, hours=1)))
CASES = {
    "before, not limited": (Stack(concurrency=1_000, queue=False), RunnerSpec(4)),
    "before, limited": (Stack(concurrency=5, queue=False), RunnerSpec(4)),
    "now": (Stack(concurrency=5), RunnerSpec(4)),
    "without groups": (Stack(concurrency=5, groups=False), RunnerSpec(4)),
    "not limited": (Stack(concurrency=1_000), RunnerSpec(4)),
    "outage": (Stack(concurrency=5), RunnerSpec(4, outage=(0, HOUR // 4))),
    "without capacity": (Stack(concurrency=10), RunnerSpec(5, QUICK, capacity=5)),
    "slow timers": (Stack(concurrency=5, timer_rate=1), RunnerSpec(4)),
}


@cache
def simulate(name: str, hours: float = 12) -> Figures:
    stack, spec = CASES[name]
    return (QueueDesign if stack.queue else LambdaDesign)(NOISY_HOUR, stack, spec).run(hours * HOUR)


@pytest.mark.parametrize("hours", [0.1, 12])
@pytest.mark.parametrize("name", CASES)
def test_every_occurrence_is_accounted_for(name: str, hours: float) -> None:
    figures = simulate(name, hours)

    accounted = figures.ran + figures.passed_over + figures.dead_letters + figures.waiting
    assert (accounted, figures.lost) == (figures.total, 0)
    assert (figures.waiting > 0) is (hours < 1)


def test_the_model_counts_what_a_design_loses() -> None:
    """Shows that the figure can be other than 0."""
    design = QueueDesign(NOISY_HOUR, *CASES["now"])
    design._queue.send = lambda *_: None  # type: ignore[method-assign]

    assert design.run(HOUR).lost > 0


def test_too_many_at_once_collapse_and_the_limit_prevents_it() -> None:
    collapsed, limited = simulate("not limited"), simulate("now")

    assert collapsed.executed_dead_letters > 30
    assert collapsed.repeated > 30
    assert (limited.dead_letters, limited.timeouts, limited.repeated) == (0, 0, 0)


def test_only_groups_keep_quiet_tenants_from_waiting_for_a_noisy_one() -> None:
    assert simulate("now").quiet.last < 60
    assert simulate("without groups").quiet.last > 300


def test_a_runner_without_capacity_uses_up_no_attempt() -> None:
    assert simulate("outage").refusals > 100
    assert simulate("outage").dead_letters == simulate("without capacity").dead_letters == 0
    before = replace(CASES["now"][0], queue=False)
    assert LambdaDesign(NOISY_HOUR, before, CASES["outage"][1]).run(12 * HOUR).dead_letters >= 100


@pytest.mark.parametrize(
    ("at_once", "timeouts"), [(3, 0), (6, 0), (8, 6)], ids=["as many as the formula", "as measured", "eight"]
)
def test_runner_answers_as_measured(at_once: int, timeouts: int) -> None:
    """Eight at once on two cores ended two by two; a caller that waited for 32 s got two answers."""
    patience = 32 if at_once == 8 else 62
    runner = Runner(RunnerSpec(2, ((17, 1.0),) if at_once == 8 else ((20, 1.0),)), patience, Random(0))  # noqa: S311

    ends = [runner.call(number, 0.0)[0] for number in range(at_once)]

    assert runner.timeouts == timeouts
    assert max(ends) <= patience
    if at_once == 8:
        assert (
            runner.call(7, 68.0)[1].status is RunStatus.SUCCESS
        )  # which ended later, and whose answer is kept
        assert runner.executions[7] == 1
        assert runner.call(0, 69.0)[0] == pytest.approx(69.1)


def test_the_same_request_is_executed_again_while_it_still_runs() -> None:
    runner = Runner(RunnerSpec(1), 10, Random(0))  # noqa: S311

    runner.call(0, 0.0)
    runner.call(0, 12.0)

    assert runner.executions[0] == 2


def test_fair_queue_prefers_quiet_groups_once_one_is_noisy() -> None:
    queue = FairQueue()
    for number in range(40):
        queue.send("noisy", (0.0, number, None))
    for _ in range(31):
        queue.receive(1.0)
    queue.send("quiet", (2.0, 100, None))
    queue.send("other", (3.0, 101, None))

    assert [queue.receive(4.0)[0] for _ in range(3)] == ["quiet", "other", "noisy"]


def test_fair_queue_forgives_a_group_in_time() -> None:
    queue = FairQueue()
    queue.send("slow", (0.0, 0, None))
    queue.receive(0.0)
    queue.finish("slow", 60.0, 60.0)
    for start in range(60, 3_000, 60):
        queue.send("steady", (float(start), start, None))
        queue.receive(float(start))
        queue.finish("steady", start + 60.0, 60.0)
    queue.send("slow", (3_000.0, 1, None))
    queue.send("steady", (3_001.0, 2, None))

    assert queue.receive(3_002.0)[0] == "slow"


@pytest.mark.parametrize(
    ("cores", "overhead", "limit"), [(2, 30, 3), (4, 30, 6), (4, 60, 12), (320, 30, 480)]
)
def test_largest_concurrency(cores: int, overhead: int, limit: int) -> None:
    assert largest_concurrency(cores, overhead) == limit


def test_no_time_outs_up_to_the_formula() -> None:
    assert simulate_limit(largest_concurrency(4)).timeouts == 0
    assert simulate_limit(5 * largest_concurrency(4)).dead_letters > 100


def test_daily_occurrences_add_up_to_all_schedules() -> None:
    hours = daily_by_hour(10_000_000)

    assert sum(hours) == pytest.approx(10_000_000, abs=24)
    assert hours[0] == max(hours)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.44, "0.4 s"), (59.6, "60 s"), (119, "119 s"), (150, "2 min"), (7_199, "120 min"), (9_000, "2.5 h")],
)
def test_seconds_are_formatted(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def read_results() -> dict[str, Any]:
    return dict(json.loads(RESULTS.read_text()))


def test_page_and_picture_are_those_of_the_results() -> None:
    results = read_results()

    assert update_page(PAGE.read_text(), results) == PAGE.read_text()
    assert PAGE.read_text().count("<!-- bench-scale: ") == 5
    assert draw_picture(results) == PICTURE.read_text()


@pytest.mark.parametrize("name", ["before, not limited", "before, limited", "now"])
@pytest.mark.parametrize("key", ["burst", "small"])
def test_results_are_those_of_the_simulation(key: str, name: str) -> None:
    figures = json.loads(json.dumps(SCENARIOS[key].simulate(name).to_json()))

    assert figures == read_results()[key][name]


def test_today_no_occurrence_is_lost_or_a_dead_letter() -> None:
    rows = [
        (key, name, each) for key, scenario in SCENARIOS.items() for name, each in read_results()[key].items()
    ]

    assert [(key, name) for key, name, each in rows if each["lost"]] == []
    assert [(key, name) for key, name, each in rows if name.startswith("now") and each["dead_letters"]] == []


def test_quiet_tenants_start_within_a_minute_beside_a_noisy_one() -> None:
    results = read_results()

    for key in ("small", "excess", "hundred thousand", "raised"):
        assert results[key]["now"]["quiet"]["p99"] < 60, key
        assert results[key]["now"]["quiet_dead_letters"] == 0
    assert results["small"]["before, limited"]["quiet"]["p99"] > HOUR
