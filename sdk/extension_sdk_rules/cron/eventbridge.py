# Copied from layers/scheduling/scheduling/domain by scripts/vendor_rules.py. Do not edit.
"""A rule in the dialect of EventBridge Scheduler (contract, section 5)."""

from collections.abc import Iterator
from itertools import groupby

from extension_sdk_rules.cron.grammar import DAYS_OF_WEEK, CronRule
from extension_sdk_rules.cron.one_time import OneTimeRule
from extension_sdk_rules.cron.rule import Rule, parse_rule
from extension_sdk_rules.errors import InvalidCron

_NUMBERS = tuple(map(str, range(60)))


def eventbridge_expression(rule: Rule) -> str:
    """Return `at(…)` for a one-time rule, else `cron(minute hour day-of-month month day-of-week year)`.

    It fires at exactly the rule's times. No rule needs more than 240 characters; EventBridge allows 256.
    """
    if isinstance(rule, OneTimeRule):
        return f"at({rule.wall_time.isoformat()})"
    return _cron_expression(rule)


def _cron_expression(rule: CronRule) -> str:
    minute = _format_field(rule.minutes, 60)
    hour = _format_field(rule.hours, 24)
    month = _format_field(rule.months, 12)
    if len(rule.days_of_week) == len(DAYS_OF_WEEK):
        return f"cron({minute} {hour} {_format_field(rule.days_of_month, 31)} {month} ? *)"
    return f"cron({minute} {hour} ? {month} {_format_field(rule.days_of_week, 7, DAYS_OF_WEEK)} *)"


def are_same_rule(text: str, other: str) -> bool:
    """Return whether EventBridge holds the same expression for both texts; one that cannot be read has none."""
    if text == other:
        return True
    try:
        return eventbridge_expression(parse_rule(text)) == eventbridge_expression(parse_rule(other))
    except InvalidCron:
        return False


def _format_field(values: tuple[int, ...], size: int, names: tuple[str, ...] = _NUMBERS) -> str:
    if len(values) == size:
        return "*"
    return ",".join(_format_group([names[value] for value in group]) for group in _group_consecutive(values))


def _format_group(names: list[str]) -> str:
    return f"{names[0]}-{names[-1]}" if len(names) > 2 else ",".join(names)


def _group_consecutive(values: tuple[int, ...]) -> Iterator[list[int]]:
    # Consecutive values differ from their positions by the same number.
    for _, group in groupby(enumerate(values), key=lambda pair: pair[1] - pair[0]):
        yield [value for _, value in group]
