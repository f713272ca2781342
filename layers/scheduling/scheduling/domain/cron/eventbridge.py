"""A cron rule in EventBridge Scheduler's own dialect (contract, section 5)."""

from collections.abc import Iterator
from itertools import groupby

from scheduling.domain.cron.grammar import DAYS_OF_WEEK, CronRule

_NUMBERS = tuple(map(str, range(60)))


def eventbridge_expression(rule: CronRule) -> str:
    """`cron(minute hour day-of-month month day-of-week year)`, firing at exactly the rule's minutes.

    No rule needs more than 240 characters; EventBridge allows 256.
    """
    minute = _field(rule.minutes, 60)
    hour = _field(rule.hours, 24)
    month = _field(rule.months, 12)
    if len(rule.days_of_week) == len(DAYS_OF_WEEK):
        return f"cron({minute} {hour} {_field(rule.days_of_month, 31)} {month} ? *)"
    return f"cron({minute} {hour} ? {month} {_field(rule.days_of_week, 7, DAYS_OF_WEEK)} *)"


def _field(values: tuple[int, ...], size: int, names: tuple[str, ...] = _NUMBERS) -> str:
    if len(values) == size:
        return "*"
    return ",".join(_span([names[value] for value in run]) for run in _runs(values))


def _span(run: list[str]) -> str:
    return f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(run)


def _runs(values: tuple[int, ...]) -> Iterator[list[int]]:
    # Consecutive values are equally far from their positions.
    for _, run in groupby(enumerate(values), key=lambda indexed: indexed[1] - indexed[0]):
        yield [value for _, value in run]
