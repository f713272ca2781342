"""How far after its scheduled time a rule may fire (contract, section 4)."""

from functools import lru_cache

from scheduling.domain.cron.rule import Rule
from scheduling.domain.errors import RuleViolation

MAX_SPREAD_MINUTES = 60


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
