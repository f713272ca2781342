"""The window after its scheduled time within which a schedule fires (contract, sections 4 and 5)."""

from datetime import datetime, timedelta

from scheduling.domain.cron.limits import find_max_spread
from scheduling.domain.cron.occurrences import fires_at, latest_fire_time
from scheduling.domain.cron.rule import Rule, parse_rule
from scheduling.domain.errors import InvalidCron
from scheduling.domain.install import Limits
from scheduling.domain.schedule import Schedule

_NONE, _TICK = timedelta(), timedelta(microseconds=1)


def spread_minutes(schedule: Schedule, limits: Limits) -> int:
    """Return the schedule's own spread, or the stack's as far as the rule allows it; 0 if it cannot be read."""
    own_minutes = schedule.definition.spread_minutes
    if schedule.unreadable or not (own_minutes or limits.default_spread_minutes):
        return 0  # without a look at the rule, since each fire asks
    try:
        return fit_spread(own_minutes, parse_rule(schedule.definition.cron), limits)
    except InvalidCron:  # of an earlier release
        return 0


def fit_spread(own_minutes: int | None, rule: Rule, limits: Limits) -> int:
    """Return the spread of a rule: its own, or the stack's, and less than its smallest gap in any case."""
    minutes = limits.default_spread_minutes if own_minutes is None else own_minutes
    return min(minutes, find_max_spread(rule))


def find_spread(schedule: Schedule, limits: Limits) -> timedelta:
    """Return how long after its scheduled time an occurrence is not late."""
    minutes = spread_minutes(schedule, limits)
    return timedelta(minutes=minutes) if minutes else _NONE


def find_nominal_time(schedule: Schedule, limits: Limits, moment: datetime) -> datetime | None:
    """Return the scheduled time in whose window the moment is; None if it is one itself, or in no window.

    An occurrence is named by its scheduled time, even if EventBridge should name it by the time of the invocation.
    """
    spread = find_spread(schedule, limits)
    if not spread:
        return None
    rule, timezone = parse_rule(schedule.definition.cron), schedule.definition.timezone
    if fires_at(rule, timezone, moment):
        return None
    return latest_fire_time(rule, timezone, moment - spread - _TICK, moment)
