# Copied from layers/scheduling/scheduling/domain by scripts/vendor_rules.py. Do not edit.
"""The limits of a rule: how often it fires, when for the first time, and how far spread (contract, section 4)."""

from datetime import datetime, timedelta
from functools import lru_cache

from extension_sdk_rules.cron.occurrences import FIRE_SEARCH_HORIZON, next_fire_time, resolve_one_time
from extension_sdk_rules.cron.one_time import OneTimeRule
from extension_sdk_rules.cron.rule import Rule, parse_rule
from extension_sdk_rules.cron.timezones import DEFAULT_TIMEZONE
from extension_sdk_rules.errors import InvalidCron, RuleViolation

MAX_SPREAD_MINUTES = 60
_MAX_ZONE_OFFSET = timedelta(days=1)
"""More than the offset of any zone from UTC."""


def check_rule(text: str, *, min_interval_minutes: int, timezone: str | None, now: datetime) -> Rule:
    """Parse `text` and check the limits of a schedule.

    Args:
        text: A cron expression, or `at(…)`.
        min_interval_minutes: The smallest permitted interval between two fires.
        timezone: A valid IANA name; None if it is not known: refused is then what no zone could have.
        now: An aware time; the rule must fire within the 8 years after it.

    Raises:
        InvalidCron: The text is not a rule, two fires are closer than the interval, or the rule never fires.
    """
    rule = parse_rule(text)
    if isinstance(rule, OneTimeRule):
        _check_one_time(rule, timezone, now)
        return rule
    gap = rule.smallest_gap_minutes
    if gap is not None and gap < min_interval_minutes:
        raise InvalidCron(f"Cron too frequent (minimum interval is {min_interval_minutes} minutes)")
    if not rule.fires_every_year and next_fire_time(rule, timezone or DEFAULT_TIMEZONE, now) is None:
        raise InvalidCron("Cron never fires in the next 8 years")
    return rule


def _check_one_time(rule: OneTimeRule, timezone: str | None, now: datetime) -> None:
    time = resolve_one_time(rule, timezone or DEFAULT_TIMEZONE)
    tolerance = timedelta() if timezone else _MAX_ZONE_OFFSET
    if time.skipped:
        raise InvalidCron(
            f"Invalid one-time schedule ({rule.wall_time.isoformat()} does not exist in {timezone}, "
            "where clocks go forward past it)"
        )
    if time.utc <= now - tolerance:
        raise InvalidCron("One-time schedule must be in the future")
    if time.utc > now + FIRE_SEARCH_HORIZON + tolerance:
        raise InvalidCron("One-time schedule must be within the next 8 years")


@lru_cache(maxsize=128)
def find_max_spread(rule: Rule) -> int:
    """Return the largest spread of the rule in minutes, which is less than its smallest gap."""
    gap = rule.smallest_gap_minutes
    return MAX_SPREAD_MINUTES if gap is None else min(MAX_SPREAD_MINUTES, gap - 1)


def check_spread_fits(minutes: int, rule: Rule) -> None:
    """Check that a spread is less than the smallest gap of the rule.

    Raises:
        RuleViolation: It is not.
    """
    if minutes > find_max_spread(rule):
        gap = rule.smallest_gap_minutes
        raise RuleViolation(
            f"spreadMinutes must be less than {gap}, the smallest gap between two fires in minutes"
        )
