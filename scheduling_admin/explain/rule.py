"""What the rule, its zone and its dates say of an occurrence that the history does not have; None where nothing."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduling.domain.cron.grammar import CronRule, parse_cron
from scheduling.domain.cron.occurrences import EIGHT_YEARS, fires, next_fire
from scheduling.domain.runs import time_text
from scheduling.operations.maintenance.missed import SETTING

from scheduling_admin.explain.evidence import Explanation, Facts, Verdict
from scheduling_admin.output.times import both_text, last_fire, skipped_times, span_text, wall_text

_TICK = timedelta(microseconds=1)


def created_later(facts: Facts) -> Explanation | None:
    """Nothing is older than the schedule."""
    created = facts.schedule.created_at
    if facts.asked.moment >= created:
        return None
    answer = f"It did not run: the schedule was created later, {both_text(created, facts.zone)}."
    return Explanation(Verdict.NOT_DUE, answer)


def forgotten(facts: Facts) -> Explanation | None:
    """What the history no longer goes back to."""
    if facts.asked.moment >= facts.now - timedelta(days=facts.history_days):
        return None
    answer = f"It is not known any more: the history is kept for {facts.history_days} days."
    return Explanation(Verdict.NOT_KNOWN, answer, (_todays_rule(facts),))


def set_later(facts: Facts) -> Explanation | None:
    """What fires since a change says nothing of the time before it."""
    since, moment = facts.schedule.timer_since, facts.asked.moment
    if since is None or moment >= since + SETTING or moment > facts.now:
        return None
    set_at = both_text(since, facts.zone)
    if moment < since:
        answer = "It did not run, and what stood then is not kept."
        why = f"Rule, zone, or whether it fires at all changed later, {set_at}."
        return Explanation(Verdict.NOT_KNOWN, answer, (why, _todays_rule(facts)))
    if not _due(facts):
        return None
    answer = f"It did not run: it was set only {span_text(moment - since)} before, {set_at}."
    why = f"EventBridge may take {span_text(SETTING)} until a new timer is in force."
    return Explanation(Verdict.NOT_DUE, answer, (why,))


def not_due(facts: Facts) -> Explanation | None:
    """The rule does not fire then."""
    if _due(facts):
        return None
    definition, moment, zone = facts.schedule.definition, facts.asked.moment, facts.zone
    if facts.asked.skipped:
        wall = wall_text(facts.asked.wall)
        answer = f"It is not due: {wall} does not exist in {zone}, where clocks are put forward over it."
        return Explanation(Verdict.NOT_DUE, answer, _neighbours(facts, moment - _TICK))
    answer = f"It is not due: {definition.cron} in {zone} does not fire {both_text(moment, zone)}."
    return Explanation(Verdict.NOT_DUE, answer, (*_twice(facts), *_neighbours(facts, moment)))


def _neighbours(facts: Facts, moment: datetime) -> tuple[str, ...]:
    """The fires around the moment, and those between them that clocks have skipped."""
    rule, zone = _rule(facts), facts.zone
    earlier, later = last_fire(rule, zone, moment), next_fire(rule, zone, moment)
    told = [f"The fire before is {both_text(earlier, zone)}."] if earlier else []
    told += [f"The fire after is {both_text(later, zone)}."] if later else []
    skipped = skipped_times(rule, zone, earlier or moment - EIGHT_YEARS, later or moment)
    told += [
        f"{wall_text(wall)} is skipped: it does not exist in {zone}, where clocks are put forward over it."
        for wall in skipped[:3]
        if not facts.asked.skipped or wall != facts.asked.wall
    ]
    return tuple(told)


def _twice(facts: Facts) -> tuple[str, ...]:
    local = facts.asked.moment.astimezone(ZoneInfo(facts.zone))
    first = local.replace(fold=0).astimezone(UTC)
    if not local.fold or not _fires_at(_rule(facts), facts.zone, first):
        return ()
    return (
        f"This time comes twice there, since clocks are put back; it fires the first time, {time_text(first)}.",
    )


def _todays_rule(facts: Facts) -> str:
    definition = facts.schedule.definition
    due = "is" if _due(facts) else "is not"
    return f"By the rule of today, {definition.cron} in {facts.zone}, it {due} due."


def _due(facts: Facts) -> bool:
    return not facts.asked.skipped and _fires_at(_rule(facts), facts.zone, facts.asked.moment)


def _fires_at(rule: CronRule, zone: str, moment: datetime) -> bool:
    return next(fires(rule, zone, moment - _TICK, moment), None) == moment


def _rule(facts: Facts) -> CronRule:
    return parse_cron(facts.schedule.definition.cron)
