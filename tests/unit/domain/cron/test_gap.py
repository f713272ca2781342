from datetime import UTC, datetime

import pytest
from scheduling.domain.cron import limits
from scheduling.domain.cron.grammar import CronRule, parse_cron
from scheduling.domain.errors import InvalidCron

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = 60
DAY = 24 * HOUR


def check_rule(text: str, *, minutes: int = 5, now: datetime = NOW) -> CronRule:
    rule = limits.check_rule(text, min_interval_minutes=minutes, timezone="UTC", now=now)
    assert isinstance(rule, CronRule)
    return rule


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("* * * * *", 1),
        ("*/5 * * * *", 5),
        ("*/7 * * * *", 4),
        ("*/4 9 * * *", 4),
        ("0,1 * * * *", 1),
        ("2,58 9,10 * * *", 4),
        ("2,58 9,11 * * *", 56),
        ("7 * * * *", HOUR),
        ("0 9,17 * * *", 8 * HOUR),
        ("0 0,23 * * *", HOUR),
        ("0,58 0,23 * * *", 2),
        ("0,58 0,23 * * MON", 58),
        ("0,58 0,23 * * MON,TUE", 2),
        ("0,58 0,23 * * SUN,SAT", 2),
        ("0,58 0,23 1,31 * *", 2),
        ("0,58 0,23 1,31 1 *", 58),
        ("0,58 0,23 1,31 1,12 *", 2),
        ("0,58 0,23 1,30 4,5 *", 2),
        ("0,58 0,23 1,30 3,5 *", 58),
        ("0,58 0,23 1,28 2,3 *", 2),
        ("0,58 0,23 1,29 2,3 *", 2),
        ("0,58 0,23 1,30 2,3 *", 58),
        ("0 9 * * *", DAY),
        ("0 9 * * MON", 7 * DAY),
        ("0 9 * 2 MON", 7 * DAY),
        ("0 9 * * MON,THU", 3 * DAY),
        ("0 9,17 * * MON,THU", 8 * HOUR),
        ("0 9 1 * *", 28 * DAY),
        ("0 9 31 * *", 31 * DAY),
        ("0 9 1,31 * *", DAY),
        ("0 9 1 1 *", 365 * DAY),
        ("0 9 29 2 *", (3 * 365 + 366) * DAY),
        ("0 9 30 2 *", None),
    ],
)
def test_the_smallest_gap_is_exact(text: str, gap: int | None) -> None:
    assert parse_cron(text).smallest_gap_minutes == gap


@pytest.mark.parametrize(
    "text", ["* * * * *", "0,1 * * * *", "*/4 9 * * *", "*/7 * * * *", "2,58 9,10 * * *", "0,56 * * * *"]
)
def test_fires_under_5_minutes_apart_are_refused(text: str) -> None:
    with pytest.raises(InvalidCron) as refused:
        check_rule(text)
    assert str(refused.value) == "Cron too frequent (minimum interval is 5 minutes)"


@pytest.mark.parametrize("text", ["*/5 * * * *", "0,55 * * * *", "2,57 9,10 * * *", "*/7 9 * * MON"])
def test_fires_5_minutes_apart_are_accepted(text: str) -> None:
    assert check_rule(text).text == text


@pytest.mark.parametrize(("text", "minutes"), [("* * * * *", 1), ("0 9 * * *", DAY), ("0 9 * * 1", 7 * DAY)])
def test_the_interval_is_an_argument(text: str, minutes: int) -> None:
    assert check_rule(text, minutes=minutes).text == text
    with pytest.raises(InvalidCron) as refused:
        check_rule(text, minutes=minutes + 1)
    assert str(refused.value) == f"Cron too frequent (minimum interval is {minutes + 1} minutes)"


@pytest.mark.parametrize("text", ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "* * 30 2 *"])
def test_a_rule_that_never_fires_is_refused(text: str) -> None:
    with pytest.raises(InvalidCron) as refused:
        check_rule(text)
    assert str(refused.value) == "Cron never fires in the next 8 years"


@pytest.mark.parametrize(
    "now",
    [NOW, datetime(2028, 2, 29, 0, 0, tzinfo=UTC), datetime(2096, 2, 29, 0, 0, tzinfo=UTC)],
    ids=["next in 2028", "next in 2032", "next in 2104, there is none in 2100"],
)
def test_a_leap_day_is_always_within_8_years(now: datetime) -> None:
    assert check_rule("0 0 29 2 *", now=now).days_of_month == (29,)


def test_grammar_is_checked_before_limits() -> None:
    with pytest.raises(InvalidCron, match="minute: 60 is not between"):
        check_rule("0,1,60 * * * *")


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        pytest.param("5 4 * * *", True, id="every day"),
        pytest.param("30 2 * 3 SUN", True, id="one weekday of one month"),
        pytest.param("0 0 28,29 2 *", False, id="one day of every year, and one of some"),
        pytest.param("0 0 1 1,7 *", True, id="two days of the year"),
        pytest.param("0 0 1 1 *", False, id="one day of the year"),
        pytest.param("0 0 29 2 *", False, id="a leap day"),
        pytest.param("0 0 30 2 *", False, id="no day"),
        pytest.param("0 0 31 * *", False, id="days of long months"),
    ],
)
def test_frequent_rules_need_no_search(text: str, sure: bool) -> None:
    assert parse_cron(text).fires_every_year is sure
