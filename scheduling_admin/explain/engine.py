"""Explain why an occurrence ran or did not run, from the evidence alone; nothing here reads from AWS."""

from scheduling.domain.deliveries.waiting import missed_after
from scheduling.domain.install import SCHEDULER_MANAGE
from scheduling.domain.runs import describe_unreadable
from scheduling.domain.views import format_timestamp

from scheduling_admin.explain.changes import check_changes, describe_inactive_periods
from scheduling_admin.explain.evidence import Evidence, Explanation, Verdict
from scheduling_admin.explain.finds import (
    describe_last_repair,
    describe_next_find,
    find_next_find,
    is_missing,
)
from scheduling_admin.explain.history import (
    describe_dead_letters,
    describe_missing_timer,
    explain_run,
    get_replay_advice,
)
from scheduling_admin.explain.queue import advise_on_queue, describe_queue_state
from scheduling_admin.explain.rule import (
    check_creation_time,
    check_history_retention,
    check_rule,
    check_timer_change,
    was_due,
)
from scheduling_admin.output.changes import describe_actor
from scheduling_admin.output.times import format_duration, format_local_and_utc
from scheduling_admin.status import (
    describe_timer_differences,
    evaluate_firing_status,
    list_blocking_differences,
)

_SINCE_UNKNOWN_BUT_SENT = (
    "Since when is not known: what EventBridge sent before is in the queue, and still comes."
)
_NOT_SENT = "EventBridge has not sent this one yet, or it was lost"
_SWEEP_ADVICE = "To repair it now: scheduling-admin reconcile --sweep"


def explain_occurrence(evidence: Evidence) -> Explanation:
    """Return what happened to the occurrence, and why.

    The history is the best evidence, then a dead letter, then the rule, then the current state.
    """
    if evidence.run:
        return explain_run(evidence, evidence.run)
    if evidence.occurrence.manual:
        return _check_dead_letters(evidence) or _explain_unknown_manual_run(evidence)
    checks = (
        _check_dead_letters,
        _check_readable,
        check_creation_time,
        check_history_retention,
        check_changes,
        _check_find,
        check_timer_change,
        check_rule,
        _check_upcoming,
        _check_blockers,
        _check_timer_drift,
        _check_timer_creation,
        _check_window,
        _check_overdue,
    )
    for check in checks:
        explanation = check(evidence)
        if explanation:
            return explanation
    return _explain_missing_run(evidence)


def _check_find(evidence: Evidence) -> Explanation | None:
    """Explain an occurrence after which the sweep found its timer missing or changed."""
    find = find_next_find(evidence)
    if find is None or not was_due(evidence):
        return None
    state = "missing" if is_missing(find) else "changed"
    time = format_local_and_utc(find.time, evidence.timezone)
    summary = f"It did not run: its timer was {state} when the sweep checked it next, on {time}."
    reasons = (*describe_next_find(evidence, find), *describe_dead_letters(evidence))
    return Explanation(Verdict.NOT_RUN, summary, reasons)


def _explain_unknown_manual_run(evidence: Evidence) -> Explanation:
    reasons: tuple[str, ...] = ("Only manual runs have a time with a fraction of a second.",)
    if evidence.queue:
        reason = "One that was requested is in the history once the queue has delivered it."
        reasons = (
            *reasons,
            reason,
            *describe_queue_state(evidence.queue, empty="there is none, or it was lost"),
        )
    advice = advise_on_queue(evidence.queue)
    return Explanation(Verdict.UNKNOWN, "The history has no manual run at that time.", reasons, advice)


def _check_upcoming(evidence: Evidence) -> Explanation | None:
    if evidence.occurrence.moment <= evidence.now:
        return None
    blockers = evaluate_firing_status(evidence.install, evidence.schedule).blockers
    wait_text = format_duration(evidence.occurrence.moment - evidence.now)
    if blockers:
        summary = (
            f"It is upcoming, in {wait_text}, but will not run in the current state: {'; '.join(blockers)}."
        )
        periods = describe_inactive_periods(evidence, evidence.now)
        return Explanation(Verdict.UPCOMING, summary, periods or _describe_last_change(evidence))
    summary = f"It is upcoming, in {wait_text}."
    return Explanation(Verdict.UPCOMING, summary, *_describe_timer(evidence))


def _check_window(evidence: Evidence) -> Explanation | None:
    """Explain an occurrence whose time has come, but whose window has not passed."""
    if evidence.now >= evidence.occurrence.moment + evidence.spread:
        return None
    spread = format_duration(evidence.spread)
    summary = (
        f"It has not been delivered yet: EventBridge delivers it at some time within {spread} after its time."
    )
    return Explanation(Verdict.UPCOMING, summary, *_describe_timer(evidence))


def _describe_timer(evidence: Evidence) -> tuple[tuple[str, ...], tuple[str, ...]]:
    timer_differences = describe_timer_differences(
        evidence.timer, evidence.schedule, evidence.limits, evidence.now
    )
    if evidence.schedule.pending_since:
        return (_describe_pending(evidence),), ()
    if timer_differences:
        return tuple(timer_differences), (_SWEEP_ADVICE,)
    return ("The timer in EventBridge is in sync.",), ()


def _check_dead_letters(evidence: Evidence) -> Explanation | None:
    if not evidence.dead_letters:
        return None
    summary = "It did not run: it could not be delivered, or failed before its run was recorded."
    return Explanation(Verdict.NOT_RUN, summary, describe_dead_letters(evidence), get_replay_advice(evidence))


def _check_readable(evidence: Evidence) -> Explanation | None:
    problem = describe_unreadable(evidence.install, evidence.schedule)
    if problem is None:
        return None
    summary = "It did not run." if evidence.occurrence.moment <= evidence.now else "It will not run."
    advice = (
        "The extension can correct the schedule, by an update of the rule or the time zone, or delete it."
    )
    if evidence.install.unreadable:
        advice = "To correct the install: register it again."
    return Explanation(Verdict.NOT_RUN, summary, (f"{problem}.",), (advice,))


def _check_blockers(evidence: Evidence) -> Explanation | None:
    schedule, blockers = (
        evidence.schedule,
        evaluate_firing_status(evidence.install, evidence.schedule).blockers,
    )
    if not blockers:
        return None
    timer_since = schedule.timer_since
    if timer_since and not schedule.definition.enabled and not schedule.disabled_reason:
        # Only a change of the schedule itself updates timerSince; a change of its install by the platform does not.
        since = format_local_and_utc(timer_since, evidence.timezone)
        reason = f"It has been disabled since at least {since}."
        return Explanation(Verdict.INACTIVE, "It did not run: the schedule was disabled.", (reason,))
    summary = f"It did not run, and would not run now: {'; '.join(blockers)}."
    reason = "The table does not record since when; this may already have been the case at that time."
    return Explanation(Verdict.INACTIVE, summary, (reason, *_describe_last_change(evidence)))


def _describe_last_change(evidence: Evidence) -> tuple[str, ...]:
    install = evidence.install
    if install.active and SCHEDULER_MANAGE in install.granted_capabilities:
        return (f"The schedule was last changed by {describe_actor(evidence.schedule.changed_by)}.",)
    return (f"The install was last changed by {describe_actor(install.changed_by)}.",)


def _check_timer_drift(evidence: Evidence) -> Explanation | None:
    timer_differences = list_blocking_differences(evidence.timer, evidence.schedule, evidence.now)
    if evidence.schedule.pending_since and evidence.schedule.pending_since <= evidence.occurrence.moment:
        summary = "It did not run: a change of the schedule has not been applied to EventBridge."
        reasons = (_describe_pending(evidence), *timer_differences)
        return Explanation(
            Verdict.NOT_RUN, summary, reasons, ("To apply it now: scheduling-admin reconcile",)
        )
    if not timer_differences:
        return None
    summary = "It did not run: the timer in EventBridge is out of sync."
    since: tuple[str, ...] = ()
    if evidence.timer is None:
        summary = "It did not run: EventBridge has no timer for the schedule."
        may_come = evidence.now - evidence.occurrence.moment < missed_after(evidence.limits) + evidence.spread
        since = (_SINCE_UNKNOWN_BUT_SENT if may_come else "Since when is not known.",)
    reasons = (*timer_differences, *since, *describe_last_repair(evidence))
    return Explanation(Verdict.NOT_RUN, summary, reasons, (_SWEEP_ADVICE,))


def _check_timer_creation(evidence: Evidence) -> Explanation | None:
    """Explain an occurrence that fell while its timer was gone: EventBridge will never deliver it."""
    reason = describe_missing_timer(evidence)
    if reason is None:
        return None
    summary = "It did not run, and cannot come any more: its timer was gone at that time."
    return Explanation(Verdict.NOT_RUN, summary, (reason, *describe_dead_letters(evidence)))


def _describe_pending(evidence: Evidence) -> str:
    since = format_timestamp(evidence.schedule.pending_since)
    return f"A change has been pending since {since}; the reconciler retries every minute to apply it to EventBridge."


def _check_overdue(evidence: Evidence) -> Explanation | None:
    overdue_by = evidence.now - evidence.occurrence.moment - evidence.spread
    patience = missed_after(evidence.limits)
    if overdue_by >= patience:
        return None
    since = f"it was due {format_duration(overdue_by)} ago and"
    if evidence.spread:
        since = f"its window of {format_duration(evidence.spread)} ended {format_duration(overdue_by)} ago, and it"
    summary = f"It is overdue: {since} has not been delivered yet."
    differences = describe_timer_differences(evidence.timer, evidence.schedule, evidence.limits, evidence.now)
    reasons = (
        *(f"{difference} It delivers all the same." for difference in differences),
        *(() if differences else ("The timer is in sync.",)),
        *describe_queue_state(evidence.queue, empty=_NOT_SENT),
        f"A delivery may be late; after {format_duration(patience)} it counts as missed.",
    )
    return Explanation(Verdict.OVERDUE, summary, reasons, advise_on_queue(evidence.queue))


def _explain_missing_run(evidence: Evidence) -> Explanation:
    summary = "It did not run: it was due and the timer is in sync, but the history has no run."
    reasons = (
        "Either EventBridge did not deliver it, or the function ended before it recorded the run; the daily sweep "
        "records such an occurrence as missed.",
        *describe_dead_letters(evidence),
    )
    advice = (
        f"The log group {evidence.log_group} has a line `occurrence` for each delivery: "
        f"search it for {evidence.occurrence.scheduled_time}."
    )
    return Explanation(Verdict.NOT_RUN, summary, reasons, (advice,))
