"""Whether a stored rule can still be used: rules outlive the release that accepted them."""

from functools import lru_cache

from scheduling.domain.cron.rule import parse_rule
from scheduling.domain.cron.timezones import INVALID_TIMEZONE_TEXT, is_canonical_timezone
from scheduling.domain.errors import InvalidCron


@lru_cache(maxsize=4096)
def find_rule_problem(cron: str, timezone: str) -> str | None:
    """Return why no timer can have the rule, or None: a newer tzdata lacks its zone, or the grammar refuses it.

    The result is cached, because each schedule that is read is checked.
    """
    if not is_canonical_timezone(timezone):
        return INVALID_TIMEZONE_TEXT
    try:
        parse_rule(cron)
    except InvalidCron as error:
        return str(error)
    return None
