"""Why an occurrence of a schedule did run or did not: from the facts to sentences, without a look at anything else."""

from scheduling.operations.maintenance.missed import LATE

from scheduling_admin.explain.evidence import Explanation, Facts, Verdict
from scheduling_admin.explain.history import advice, explain_run, letter_sentences
from scheduling_admin.explain.rule import created_later, forgotten, not_due, set_later
from scheduling_admin.output.times import both_text, instant, span_text
from scheduling_admin.status import differences, standing_of

_SWEEP = "To mend it now: scheduling-admin reconcile --sweep"


def explain(facts: Facts) -> Explanation:
    """What became of the occurrence, and why: the history knows best, then a letter, the rule, what stands today."""
    if facts.run:
        return explain_run(facts, facts.run)
    if facts.asked.manual:
        why = "A time with a fraction of a second is that of a run by hand."
        return Explanation(Verdict.NOT_KNOWN, "The history has no run by hand of that moment.", (why,))
    readings = (
        _undelivered,
        created_later,
        forgotten,
        set_later,
        not_due,
        _to_come,
        _not_active,
        _drifted,
        _late,
    )
    for reading in readings:
        found = reading(facts)
        if found:
            return found
    return _lost(facts)


def _to_come(facts: Facts) -> Explanation | None:
    if facts.asked.moment <= facts.now:
        return None
    against = standing_of(facts.install, facts.schedule).against
    wait = span_text(facts.asked.moment - facts.now)
    if against:
        answer = f"It is still to come, in {wait}, but will not run as things stand: {'; '.join(against)}."
        return Explanation(Verdict.TO_COME, answer, _by_whom(facts))
    answer = f"It is still to come, in {wait}."
    return Explanation(Verdict.TO_COME, answer, *_timer_told(facts))


def _timer_told(facts: Facts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    differing = differences(facts.timer, facts.schedule)
    if facts.schedule.pending_since:
        return (_pending_text(facts),), ()
    if differing:
        return tuple(differing), (_SWEEP,)
    return ("The timer stands in EventBridge as the row says.",), ()


def _undelivered(facts: Facts) -> Explanation | None:
    if not facts.letters:
        return None
    answer = "It did not run: it could not be handed over, or failed before the history could be written."
    return Explanation(Verdict.NOT_RUN, answer, letter_sentences(facts), advice(facts))


def _not_active(facts: Facts) -> Explanation | None:
    schedule, against = facts.schedule, standing_of(facts.install, facts.schedule).against
    if not against:
        return None
    since = schedule.timer_since
    if since and not schedule.definition.enabled and not schedule.disabled_reason:
        # Its extension sets it anew by that; what the platform does to its install, does not.
        why = f"It has been so since {both_text(since, facts.zone)}, if not for longer."
        return Explanation(Verdict.NOT_ACTIVE, "It did not run: the schedule was disabled.", (why,))
    answer = f"It did not run, and would not run now: {'; '.join(against)}."
    why = "Since when is not kept in its row; it may have been so then."
    return Explanation(Verdict.NOT_ACTIVE, answer, (why, *_by_whom(facts)))


def _by_whom(facts: Facts) -> tuple[str, ...]:
    if facts.install.active:
        return (f"The newest change of the schedule is by {facts.schedule.changed_by}.",)
    return (f"The newest change of the install is by {facts.install.changed_by}.",)


def _drifted(facts: Facts) -> Explanation | None:
    differing = differences(facts.timer, facts.schedule)
    if facts.schedule.pending_since and facts.schedule.pending_since <= facts.asked.moment:
        answer = "It did not run: EventBridge has not been brought after a change of the row."
        told = (_pending_text(facts), *differing)
        return Explanation(Verdict.NOT_RUN, answer, told, ("To finish it now: scheduling-admin reconcile",))
    if not differing:
        return None
    answer = (
        "It did not run: the timer in EventBridge is not as the row says, and its deliveries are not run."
    )
    if facts.timer is None:
        answer = "It did not run: there is no timer in EventBridge."
    return Explanation(Verdict.NOT_RUN, answer, tuple(differing), (_SWEEP,))


def _pending_text(facts: Facts) -> str:
    since = facts.schedule.pending_since
    return f"The row has been pending since {instant(since)}: the reconciler brings EventBridge after it each minute."


def _late(facts: Facts) -> Explanation | None:
    waited = facts.now - facts.asked.moment
    if waited >= LATE:
        return None
    answer = f"It is awaited: it was due {span_text(waited)} ago, and has not been delivered yet."
    why = f"The timer stands as the row says. A delivery may be late; after {span_text(LATE)} it counts as missed."
    return Explanation(Verdict.AWAITED, answer, (why,))


def _lost(facts: Facts) -> Explanation:
    answer = "It did not run: it was due, the timer stands as the row says, and the history has nothing."
    told = (
        "Either EventBridge has not delivered it, or the function ended before it could begin; the daily sweep records "
        "such an occurrence as missed.",
        *letter_sentences(facts),
    )
    log = f"The log {facts.log_group} has a line `occurrence` for each delivery: look there for {facts.asked.name}."
    return Explanation(Verdict.NOT_RUN, answer, told, (log,))
