import pytest
from scheduling.api.call_budget import MAX_INSTALLS, CallBudget

SECOND = 10**9


def take_calls(budget: CallBudget, count: int, now: int = 0, install_id: str = "install-1") -> list[int]:
    return [budget.take_call(install_id, now) for _ in range(count)]


@pytest.mark.parametrize("calls_per_minute", [1, 7, 60, 3_000, 60_000])
def test_an_install_may_make_its_calls_at_once(calls_per_minute: int) -> None:
    budget = CallBudget(calls_per_minute)

    assert take_calls(budget, calls_per_minute) == [0] * calls_per_minute
    assert budget.take_call("install-1", 0) == -(-60 // calls_per_minute)


@pytest.mark.parametrize(
    ("now", "wait"),
    [
        pytest.param(0, 6, id="at once"),
        pytest.param(1, 6, id="a nanosecond later"),
        pytest.param(5 * SECOND, 1, id="a second early"),
        pytest.param(6 * SECOND - 1, 1, id="a nanosecond early"),
        pytest.param(6 * SECOND, 0, id="in time"),
    ],
)
def test_a_call_comes_back_every_tenth_of_the_minute(now: int, wait: int) -> None:
    budget = CallBudget(10)
    take_calls(budget, 10)

    assert budget.take_call("install-1", now) == wait


def test_a_refused_call_is_not_counted() -> None:
    budget = CallBudget(10)
    take_calls(budget, 10)
    refused = take_calls(budget, 1000, now=3 * SECOND)

    assert set(refused) == {3}
    assert budget.take_call("install-1", 6 * SECOND) == 0


def test_a_minute_later_all_calls_are_back_and_no_more() -> None:
    budget = CallBudget(10)
    take_calls(budget, 10)

    assert take_calls(budget, 11, now=60 * SECOND) == [0] * 10 + [6]
    assert take_calls(budget, 11, now=3600 * SECOND) == [0] * 10 + [6]


def test_installs_have_a_budget_each() -> None:
    budget = CallBudget(10)
    take_calls(budget, 1000)

    assert take_calls(budget, 10, install_id="install-2") == [0] * 10


def test_the_longest_unused_budgets_are_forgotten() -> None:
    budget = CallBudget(2)
    take_calls(budget, 2)
    take_calls(budget, 2, install_id="busy")
    for number in range(MAX_INSTALLS):
        budget.take_call(f"other-{number}", 0)
        assert budget.take_call("busy", 0) > 0

    assert budget.take_call("install-1", 0) == 0
    assert len(budget._used_until) == MAX_INSTALLS
