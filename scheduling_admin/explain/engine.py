"""Why an occurrence of a schedule did run or did not: from the facts to sentences, without a look at anything else."""

from scheduling.operations.maintenance.missed import MISSED_AFTER

from scheduling_admin.explain.evidence import Evidence, Explanation, Verdict
from scheduling_admin.explain.history import describe_dead_letters, explain_run, get_replay_advice
from scheduling_admin.explain.rule import (
    check_creation_time,
    check_history_retention,
    check_rule,
    check_timer_change,
)
from scheduling_admin.output.times import format_duration, format_instant, format_local_and_utc
from scheduling_admin.status import evaluate_firing_status, find_timer_differences

_SWEEP_ADVICE = "To mend it now: scheduling-admin reconcile --sweep"


def explain_occurrence(evidence: Evidence) -> Explanation:
    """What became of the occurrence, and why: the history knows best, then a letter, the rule, what stands today."""
    if evidence.run:
        return explain_run(evidence, evidence.run)
    if evidence.occurrence.manual:
        reason = "A time with a fraction of a second is that of a run by hand."
        return Explanation(Verdict.UNKNOWN, "The history has no run by hand of that moment.", (reason,))
    checks = (
        _check_dead_letters,
        check_creation_time,
        check_history_retention,
        check_timer_change,
        check_rule,
        _check_upcoming,
        _check_blockers,
        _check_timer_drift,
        _check_overdue,
    )
    for check in checks:
        explanation = check(evidence)
        if explanation:
            return explanation
    return _explain_missing_run(evidence)


def _check_upcoming(evidence: Evidence) -> Explanation | None:
    if evidence.occurrence.moment <= evidence.now:
        return None
    blockers = evaluate_firing_status(evidence.install, evidence.schedule).blockers
    wait_text = format_duration(evidence.occurrence.moment - evidence.now)
    if blockers:
        summary = (
            f"It is still to come, in {wait_text}, but will not run as things stand: {'; '.join(blockers)}."
        )
        return Explanation(Verdict.UPCOMING, summary, _describe_last_change(evidence))
    summary = f"It is still to come, in {wait_text}."
    return Explanation(Verdict.UPCOMING, summary, *_describe_timer(evidence))


def _describe_timer(evidence: Evidence) -> tuple[tuple[str, ...], tuple[str, ...]]:
    timer_differences = find_timer_differences(evidence.timer, evidence.schedule)
    if evidence.schedule.pending_since:
        return (_describe_pending(evidence),), ()
    if timer_differences:
        return tuple(timer_differences), (_SWEEP_ADVICE,)
    return ("The timer stands in EventBridge as the row says.",), ()


def _check_dead_letters(evidence: Evidence) -> Explanation | None:
    if not evidence.dead_letters:
        return None
    summary = "It did not run: it could not be handed over, or failed before the history could be written."
    return Explanation(Verdict.NOT_RUN, summary, describe_dead_letters(evidence), get_replay_advice(evidence))


def _check_blockers(evidence: Evidence) -> Explanation | None:
    schedule, blockers = (
        evidence.schedule,
        evaluate_firing_status(evidence.install, evidence.schedule).blockers,
    )
    if not blockers:
        return None
    timer_since = schedule.timer_since
    if timer_since and not schedule.definition.enabled and not schedule.disabled_reason:
        # Its extension sets it anew by that; what the platform does to its install, does not.
        reason = (
            f"It has been so since {format_local_and_utc(timer_since, evidence.timezone)}, if not for longer."
        )
        return Explanation(Verdict.INACTIVE, "It did not run: the schedule was disabled.", (reason,))
    summary = f"It did not run, and would not run now: {'; '.join(blockers)}."
    reason = "Since when is not kept in its row; it may have been so then."
    return Explanation(Verdict.INACTIVE, summary, (reason, *_describe_last_change(evidence)))


def _describe_last_change(evidence: Evidence) -> tuple[str, ...]:
    if evidence.install.active:
        return (f"The newest change of the schedule is by {evidence.schedule.changed_by}.",)
    return (f"The newest change of the install is by {evidence.install.changed_by}.",)


def _check_timer_drift(evidence: Evidence) -> Explanation | None:
    timer_differences = find_timer_differences(evidence.timer, evidence.schedule)
    if evidence.schedule.pending_since and evidence.schedule.pending_since <= evidence.occurrence.moment:
        summary = "It did not run: EventBridge has not been brought after a change of the row."
        reasons = (_describe_pending(evidence), *timer_differences)
        return Explanation(
            Verdict.NOT_RUN, summary, reasons, ("To finish it now: scheduling-admin reconcile",)
        )
    if not timer_differences:
        return None
    summary = (
        "It did not run: the timer in EventBridge is not as the row says, and its deliveries are not run."
    )
    if evidence.timer is None:
        summary = "It did not run: there is no timer in EventBridge."
    return Explanation(Verdict.NOT_RUN, summary, tuple(timer_differences), (_SWEEP_ADVICE,))


def _describe_pending(evidence: Evidence) -> str:
    pending_since = evidence.schedule.pending_since
    return f"The row has been pending since {format_instant(pending_since)}: the reconciler brings EventBridge after it each minute."


def _check_overdue(evidence: Evidence) -> Explanation | None:
    overdue_by = evidence.now - evidence.occurrence.moment
    if overdue_by >= MISSED_AFTER:
        return None
    summary = f"It is awaited: it was due {format_duration(overdue_by)} ago, and has not been delivered yet."
    reason = f"The timer stands as the row says. A delivery may be late; after {format_duration(MISSED_AFTER)} it counts as missed."
    return Explanation(Verdict.OVERDUE, summary, (reason,))


def _explain_missing_run(evidence: Evidence) -> Explanation:
    summary = "It did not run: it was due, the timer stands as the row says, and the history has nothing."
    reasons = (
        "Either EventBridge has not delivered it, or the function ended before it could begin; the daily sweep records "
        "such an occurrence as missed.",
        *describe_dead_letters(evidence),
    )
    advice_text = f"The log {evidence.log_group} has a line `occurrence` for each delivery: look there for {evidence.occurrence.scheduled_time}."
    return Explanation(Verdict.NOT_RUN, summary, reasons, (advice_text,))
