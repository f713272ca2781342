"""Explain an occurrence without a run by the rule, its time zone and its dates; None if they explain nothing."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduling.domain.cron.occurrences import FIRE_SEARCH_HORIZON, fire_times, next_fire_time
from scheduling.domain.cron.rule import Rule, parse_rule
from scheduling.domain.runs import format_time
from scheduling.operations.maintenance.missed import TIMER_PROPAGATION_DELAY

from scheduling_admin.explain.changes import (
    describe_earlier_rule,
    describe_known_rule,
    find_timer_change,
)
from scheduling_admin.explain.evidence import Evidence, Explanation, Verdict
from scheduling_admin.explain.history import describe_dead_letters
from scheduling_admin.output.times import (
    find_last_fire,
    find_nonexistent_times,
    format_duration,
    format_local_and_utc,
    format_wall_time,
)

_TICK = timedelta(microseconds=1)


def check_creation_time(evidence: Evidence) -> Explanation | None:
    """Explain an occurrence that is older than the schedule."""
    created_at = evidence.schedule.created_at
    if evidence.occurrence.moment >= created_at:
        return None
    created_at_text = format_local_and_utc(created_at, evidence.timezone)
    summary = f"It did not run: the schedule was created later, on {created_at_text}."
    return Explanation(Verdict.NOT_SCHEDULED, summary)


def check_history_retention(evidence: Evidence) -> Explanation | None:
    """Explain an occurrence that is older than the history."""
    if evidence.occurrence.moment >= evidence.now - evidence.limits.history:
        return None
    history_days = evidence.limits.run_history_days
    summary = f"The result is no longer known: the history is kept for {history_days} days."
    return Explanation(Verdict.UNKNOWN, summary, (_describe_current_rule(evidence),))


def check_timer_change(evidence: Evidence) -> Explanation | None:
    """Explain an occurrence before the latest change of the timer, or right after it."""
    timer_since, moment = evidence.schedule.timer_since, evidence.occurrence.moment
    if timer_since is None or moment >= timer_since + TIMER_PROPAGATION_DELAY or moment > evidence.now:
        return None
    timer_since_text = format_local_and_utc(timer_since, evidence.timezone)
    earlier = find_timer_change(evidence)
    if moment < timer_since and moment - earlier < TIMER_PROPAGATION_DELAY and describe_known_rule(evidence):
        return _explain_new_timer(evidence, earlier)
    if moment < timer_since and (rule_text := describe_known_rule(evidence)):
        summary = (
            "It did not run, although it was due by the rule of that time, and nothing kept it from firing."
        )
        reasons = (f"The rule was {rule_text}; the timer was set anew on {timer_since_text}.",)
        return Explanation(Verdict.NOT_RUN, summary, (*reasons, *describe_dead_letters(evidence)))
    if moment < timer_since:
        summary = "It did not run, and the state of the schedule at that time is not recorded."
        reason = f"The rule, the time zone or the enabled state changed later, on {timer_since_text}."
        return Explanation(Verdict.UNKNOWN, summary, (reason, _describe_current_rule(evidence)))
    if not _is_scheduled(evidence):
        return None
    return _explain_new_timer(evidence, timer_since)


def _explain_new_timer(evidence: Evidence, since: datetime) -> Explanation:
    lead_time = format_duration(evidence.occurrence.moment - since)
    since_text = format_local_and_utc(since, evidence.timezone)
    summary = f"It did not run: the timer was set only {lead_time} before, on {since_text}."
    reason = f"A new timer may take {format_duration(TIMER_PROPAGATION_DELAY)} to take effect in EventBridge."
    return Explanation(Verdict.NOT_SCHEDULED, summary, (reason,))


def was_due(evidence: Evidence) -> bool:
    """Return whether the rule of that time had the occurrence, and its timer had taken effect."""
    timer_since, moment = evidence.schedule.timer_since, evidence.occurrence.moment
    if timer_since and moment < timer_since:
        return describe_known_rule(evidence) is not None
    return _is_scheduled(evidence) and not (timer_since and moment < timer_since + TIMER_PROPAGATION_DELAY)


def check_rule(evidence: Evidence) -> Explanation | None:
    """Explain an occurrence that the rule does not have."""
    if _is_scheduled(evidence):
        return None
    definition, moment, timezone = evidence.schedule.definition, evidence.occurrence.moment, evidence.timezone
    if evidence.occurrence.nonexistent:
        time_text = format_wall_time(evidence.occurrence.wall_time)
        summary = (
            f"It is not scheduled: {time_text} does not exist in {timezone}, where clocks go forward past it."
        )
        return Explanation(
            Verdict.NOT_SCHEDULED, summary, _describe_neighbouring_fires(evidence, moment - _TICK)
        )
    time_text = format_local_and_utc(moment, timezone)
    summary = f"It is not scheduled: {definition.cron} in {timezone} does not fire on {time_text}."
    return Explanation(
        Verdict.NOT_SCHEDULED,
        summary,
        (
            *_describe_repeated_time(evidence),
            *describe_earlier_rule(evidence),
            *_describe_neighbouring_fires(evidence, moment),
        ),
    )


def _describe_neighbouring_fires(evidence: Evidence, moment: datetime) -> tuple[str, ...]:
    """Describe the fires around the moment, and the local times between them that do not exist."""
    rule, timezone = _parse_rule(evidence), evidence.timezone
    earlier, later = find_last_fire(rule, timezone, moment), next_fire_time(rule, timezone, moment)
    sentences = [f"The previous fire is {format_local_and_utc(earlier, timezone)}."] if earlier else []
    sentences += [f"The next fire is {format_local_and_utc(later, timezone)}."] if later else []
    nonexistent_times = find_nonexistent_times(
        rule, timezone, earlier or moment - FIRE_SEARCH_HORIZON, later or moment
    )
    sentences += [
        f"{format_wall_time(wall_time)} does not exist in {timezone}, where clocks go forward past it."
        for wall_time in nonexistent_times[:3]
        if not evidence.occurrence.nonexistent or wall_time != evidence.occurrence.wall_time
    ]
    return tuple(sentences)


def _describe_repeated_time(evidence: Evidence) -> tuple[str, ...]:
    local = evidence.occurrence.moment.astimezone(ZoneInfo(evidence.timezone))
    first_time = local.replace(fold=0).astimezone(UTC)
    if not local.fold or not _fires_at(_parse_rule(evidence), evidence.timezone, first_time):
        return ()
    first_text = format_time(first_time)
    return (
        f"This local time occurs twice, because clocks go back; the schedule fires at the first, {first_text}.",
    )


def _describe_current_rule(evidence: Evidence) -> str:
    definition = evidence.schedule.definition
    verb = "is" if _is_scheduled(evidence) else "is not"
    return f"By the current rule, {definition.cron} in {evidence.timezone}, it {verb} scheduled."


def _is_scheduled(evidence: Evidence) -> bool:
    return not evidence.occurrence.nonexistent and _fires_at(
        _parse_rule(evidence), evidence.timezone, evidence.occurrence.moment
    )


def _fires_at(rule: Rule, timezone: str, moment: datetime) -> bool:
    return next(fire_times(rule, timezone, moment - _TICK, moment), None) == moment


def _parse_rule(evidence: Evidence) -> Rule:
    return parse_rule(evidence.schedule.definition.cron)
