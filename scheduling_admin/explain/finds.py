"""What the sweep has found about a timer at its next check after an occurrence, and repaired."""

from datetime import timedelta

from scheduling.domain.audit.changes import writes_timer
from scheduling.domain.audit.finds import TimerFind, find_from_change
from scheduling.domain.deliveries.waiting import missed_after

from scheduling_admin.explain.evidence import Evidence
from scheduling_admin.output.finds import describe_find
from scheduling_admin.output.times import format_local_and_utc

_SECOND = timedelta(seconds=1)
"""Finds have whole seconds."""


def find_next_find(evidence: Evidence) -> TimerFind | None:
    """Return what the sweep found when it checked the timer next, if that may be why the occurrence has no run.

    The timer was right after the occurrence if a change has written it in between, or if it delivered in between and
    was missing only then.
    """
    moment, finds = evidence.occurrence.moment, _list_finds(evidence)
    find = next((each for each in finds if each.time > moment), None)
    if find is None or not find.prevents_fires:
        return None
    if any(writes_timer(each) and moment < each.time < find.time for each in evidence.changes):
        return None
    return None if is_missing(find) and evidence.has_later_delivery else find


def is_missing(find: TimerFind) -> bool:
    """Return whether there was no timer."""
    return any(each.name == "timer" for each in find.differences)


def describe_next_find(evidence: Evidence, find: TimerFind) -> tuple[str, ...]:
    """Describe the timer at the next check after the occurrence, since when it was so, and the repair."""
    return (*describe_find(find), *_describe_since(evidence), _describe_repair(evidence, find))


def describe_last_repair(evidence: Evidence) -> tuple[str, ...]:
    """Return when the sweep had last repaired the timer before the occurrence, if it had."""
    repairs = [each.time for each in _list_finds(evidence) if each.time <= evidence.occurrence.moment]
    if not repairs:
        return ()
    return (f"The sweep had repaired it on {format_local_and_utc(repairs[-1], evidence.timezone)}.",)


def _list_finds(evidence: Evidence) -> list[TimerFind]:
    """Return what the sweep has found about the schedule's timer, oldest first."""
    own = (each for each in evidence.changes if each.schedule_id == evidence.schedule.id)
    return [find for find in map(find_from_change, own) if find]


def _describe_since(evidence: Evidence) -> tuple[str, ...]:
    """Return what is known of since when: an occurrence that was delivered, and whether this one may still come."""
    delivery = evidence.last_delivery
    sentences = ["Since when is not known."]
    if evidence.has_later_delivery:
        sentences = [
            f"The history has the occurrence of {delivery}, so the timer may have been changed only then."
        ]
    elif delivery:
        sentences = [f"Since when is not known; the last one before it in the history is that of {delivery}."]
    if evidence.now - evidence.occurrence.moment < missed_after(evidence.limits) + evidence.spread:
        sentences.append("What EventBridge sent before is in the queue, and still comes.")
    return tuple(sentences)


def _describe_repair(evidence: Evidence, find: TimerFind) -> str:
    pending_since = evidence.schedule.pending_since
    if pending_since and pending_since <= find.time + _SECOND:
        return "The sweep began to repair it; EventBridge has not confirmed that yet."
    return "The sweep repaired it then."
