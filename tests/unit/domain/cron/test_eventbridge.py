from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import pytest
from scheduling.domain.cron.eventbridge import are_same_rule, eventbridge_expression
from scheduling.domain.cron.grammar import CronRule, parse_cron

from tests.support.oracles.eventbridge_cron import EventBridgeCron

EVERY_MINUTE = parse_cron("* * * * *")
DAYS = range(7)


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("* * * * *", "cron(* * * * ? *)"),
        ("0-59 */1 1-31 jan-dec *", "cron(* * * * ? *)"),
        ("0 9 * * *", "cron(0 9 * * ? *)"),
        ("*/15 * * * *", "cron(0,15,30,45 * * * ? *)"),
        ("5,6,7,9,10 * * * *", "cron(5-7,9,10 * * * ? *)"),
        ("0 8-18 1,15 JAN-MAR,12 *", "cron(0 8-18 1,15 1-3,12 ? *)"),
        ("0 9 * * 1-5", "cron(0 9 ? * MON-FRI *)"),
        ("0 9 * * FRI-SUN", "cron(0 9 ? * SUN,FRI,SAT *)"),
        ("0 9 * * 0", "cron(0 9 ? * SUN *)"),
        ("0 9 * * 7", "cron(0 9 ? * SUN *)"),
        ("0 9 * 6 sat", "cron(0 9 ? 6 SAT *)"),
        ("0 9 * * MON-SUN", "cron(0 9 * * ? *)"),
        ("0 0 29 2 *", "cron(0 0 29 2 ? *)"),
    ],
)
def test_the_expression_is_in_eventbridges_dialect(text: str, expression: str) -> None:
    assert eventbridge_expression(parse_cron(text)) == expression


@pytest.mark.parametrize("days", [days for size in DAYS for days in combinations(DAYS, size + 1)], ids=str)
def test_every_set_of_weekdays_is_equivalent_in_eventbridge(days: tuple[int, ...]) -> None:
    expression = eventbridge_expression(replace(EVERY_MINUTE, days_of_week=days))
    assert EventBridgeCron(expression).weekdays == {day + 1 for day in days}


@pytest.mark.parametrize("size", range(1, 13))
def test_every_set_of_months_is_equivalent_in_eventbridge(size: int) -> None:
    for months in combinations(range(1, 13), size):
        expression = eventbridge_expression(replace(EVERY_MINUTE, months=months))
        assert EventBridgeCron(expression).months == set(months)


def test_the_longest_expression_is_within_eventbridges_256_characters() -> None:
    minute = longest_field(0, 59, lambda values: replace(EVERY_MINUTE, minutes=values), field=0)
    hour = longest_field(0, 23, lambda values: replace(EVERY_MINUTE, hours=values), field=1)
    day = longest_field(1, 31, lambda values: replace(EVERY_MINUTE, days_of_month=values), field=2)
    month = longest_field(1, 12, lambda values: replace(EVERY_MINUTE, months=values), field=3)
    weekday = longest_field(0, 6, lambda values: replace(EVERY_MINUTE, days_of_week=values), field=4)
    assert len(f"cron({minute} {hour} {max(day, weekday, key=len)} {month} ? *)") == 240


def longest_field(low: int, high: int, rule: Callable[[tuple[int, ...]], CronRule], *, field: int) -> str:
    """Return the longest text of a field over all sets of values, each of which is ranges with gaps between them."""
    best = dict.fromkeys(range(low, high + 3), "")
    for first in range(high, low - 1, -1):
        for last in range(first, high + 1):
            value_range = eventbridge_expression(rule(tuple(range(first, last + 1))))
            text = value_range.removeprefix("cron(").split(" ")[field]
            best[first] = max(best[first], best[first + 1], f"{text},{best[last + 2]}".strip(","), key=len)
    return best[low]


@pytest.mark.parametrize(
    ("text", "other", "same"),
    [
        pytest.param("0 * * * *", "0 * * * *", True, id="the same text"),
        pytest.param("0 * * * *", "00 * * * *", True, id="a leading zero"),
        pytest.param("0 9 * * 1-5", "0 9 * * MON-FRI", True, id="names of days"),
        pytest.param("0 9 * * 0", "0 9 * * 7", True, id="either Sunday"),
        pytest.param("0 9 1 1,2 *", "0 9 1 jan,FEB *", True, id="names of months"),
        pytest.param("*/15 * * * *", "0,15,30,45 * * * *", True, id="a step"),
        pytest.param("0  9 *\t* *", "0 9 * * *", True, id="spaces"),
        pytest.param("0 9 * * *", "0 9 * * 0-6", True, id="every day of the week"),
        pytest.param("0 9 * * *", "0 9 1-31 * *", True, id="every day of the month"),
        pytest.param("0 9 * * *", "0 10 * * *", False, id="another hour"),
        pytest.param("0 9 * * *", "0 9 1-30 * *", False, id="all days but one"),
        pytest.param("0 9 L * *", "0 9 * * *", False, id="one that cannot be read"),
        pytest.param("0 9 L * *", "0 09 L * *", False, id="two that cannot be read"),
        pytest.param("0 9 L * *", "0 9 L * *", True, id="an unreadable one and itself"),
    ],
)
def test_rules_are_compared_as_eventbridge_holds_them(text: str, other: str, same: bool) -> None:
    assert are_same_rule(text, other) is same
    assert are_same_rule(other, text) is same
