"""Stored rules that this release cannot use."""

import pytest
from scheduling.domain.cron.stored import find_rule_problem
from scheduling.domain.cron.timezones import is_canonical_timezone


@pytest.mark.parametrize(
    ("cron", "timezone", "problem"),
    [
        ("0 9 * * *", "UTC", None),
        ("0 9 * * MON-FRI", "Europe/Berlin", None),
        ("0 9 * * *", "US/Eastern", None),
        ("0 9 * * *", "EST", None),
        ("0 9 * * *", "US/Pacific-New", "Invalid timezone"),
        ("0 9 * * *", "europe/berlin", "Invalid timezone"),
        ("0 9 * * *", "", "Invalid timezone"),
        ("0 9 L * *", "UTC", "Invalid cron expression (day-of-month: L is not between 1 and 31)"),
        ("", "UTC", "Invalid cron expression (expected 5 fields: m h dom mon dow)"),
        ("0 9 L * *", "US/Pacific-New", "Invalid timezone"),
    ],
    ids=[
        "UTC",
        "names of days",
        "alias",
        "zone that EventBridge refuses",
        "dropped zone",
        "zone in another case",
        "no zone",
        "refused rule",
        "no rule",
        "both",
    ],
)
def test_the_problem_is_the_text_of_the_rule(cron: str, timezone: str, problem: str | None) -> None:
    assert find_rule_problem(cron, timezone) == problem


def test_a_zone_without_a_meaning_is_none() -> None:
    assert not is_canonical_timezone("Factory")
