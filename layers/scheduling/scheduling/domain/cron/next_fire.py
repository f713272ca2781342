"""The next fire of a rule, as it is kept with a schedule: by its scheduled time."""

from datetime import datetime

from scheduling.domain.cron.occurrences import format_time, next_fire_time
from scheduling.domain.cron.rule import parse_rule


def find_next_fire(cron: str, timezone: str, after: datetime) -> str | None:
    """Return the scheduled time of the first occurrence after the aware time `after`; None if there is none."""
    moment = next_fire_time(parse_rule(cron), timezone, after)
    return format_time(moment) if moment else None
