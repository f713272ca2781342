"""A rule in plain English."""

from scheduling.domain.cron.grammar import DAYS_OF_WEEK, CronRule
from scheduling.domain.cron.one_time import OneTimeRule
from scheduling.domain.cron.rule import Rule


def describe_rule(rule: Rule, timezone: str) -> str:
    """Return the rule and its zone in words, such as `At 09:00, Monday to Friday, Europe/Berlin`."""
    if isinstance(rule, OneTimeRule):
        return f"{_describe_one_time(rule)}, {timezone}"
    return f"{_describe_cron(rule)}, {timezone}"


def _describe_one_time(rule: OneTimeRule) -> str:
    time = rule.wall_time
    clock = f"{time:%H:%M:%S}" if time.second else f"{time:%H:%M}"
    return f"Once, at {clock} on {time:%A}, {time.day} {time:%B} {time.year}"


def _describe_cron(rule: CronRule) -> str:
    # Imported here because the import takes as long as a bare interpreter start, and few functions need it.
    from cron_descriptor import ExpressionDescriptor, Options  # type: ignore[import-untyped]

    options = Options()
    options.locale_code = "en_US"
    options.use_24hour_time_format = True
    return str(ExpressionDescriptor(_plain_expression(rule), options).get_description()).replace(
        " through ", " to "
    )


def _plain_expression(rule: CronRule) -> str:
    """Return the rule with its values as the library describes them best: repeated ones and odd steps mislead it."""
    return " ".join(
        (
            _plain_field(rule.minutes, 0, 60),
            _plain_field(rule.hours, 0, 24),
            _plain_field(rule.days_of_month, 1, 31),
            _plain_field(rule.months, 1, 12),
            _plain_field(rule.days_of_week, 0, len(DAYS_OF_WEEK)),
        )
    )


def _plain_field(values: tuple[int, ...], first: int, size: int) -> str:
    """Return `*`, `*/s` where the steps are even throughout, a range, or a list."""
    if len(values) == size:
        return "*"
    step = size // len(values)
    if len(values) > 1 and size % step == 0 and values == tuple(range(first, first + size, step)):
        return f"*/{step}"
    if len(values) > 2 and values == tuple(range(values[0], values[-1] + 1)):
        return f"{values[0]}-{values[-1]}"
    return ",".join(map(str, values))
