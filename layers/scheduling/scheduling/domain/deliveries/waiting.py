"""How long an occurrence waits: before its next attempt, and for capacity (contract, section 6)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduling.domain.deliveries.delivery import HAND_OVER_WINDOW
from scheduling.domain.install import Limits
from scheduling.domain.runs import MAX_ATTEMPTS, Outcome, Run, RunStatus

ATTEMPT_DELAYS = (timedelta(minutes=1), timedelta(minutes=2))
"""The delays after the first and the second attempt."""

MIN_CAPACITY_WAIT, MAX_CAPACITY_WAIT = timedelta(seconds=30), timedelta(minutes=15)
"""The bounds of one wait for capacity."""

_GROWTH = 4
"""A wait for capacity takes at most a fourth of the time waited so far, so that waits get longer."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What follows an attempt: the run to record, and the time of the message that continues it, or a dead letter."""

    run: Run
    until: datetime | None = None
    dead_letter: bool = False


def plan_follow_up(
    run: Run,
    outcome: Outcome,
    *,
    first_sent_at: datetime,
    now: datetime,
    max_wait: timedelta,
    retry_delay: timedelta,
) -> FollowUp:
    """Return what follows the attempt of the run, which has the outcome.

    Without capacity of the runner it was no attempt. `retry_delay` is the minimum after an attempt that the runner may
    still be executing.
    """
    if outcome.retry_after is None:
        if not outcome.retryable:
            return FollowUp(run)
        until = _next_attempt_time(run, outcome, now, retry_delay)
    else:
        until = next_capacity_check(first_sent_at, now, max_wait, outcome.retry_after)
        run = replace(run, attempt=run.attempt - 1, duration_ms=None)
    if until is None:
        return FollowUp(run if run.failed_permanently else replace(run, retryable=False), dead_letter=True)
    status = run.status if outcome.retry_after is None else RunStatus.WAITING
    return FollowUp(replace(run, status=status, not_before=until), until)


def _next_attempt_time(run: Run, outcome: Outcome, now: datetime, retry_delay: timedelta) -> datetime | None:
    """Return when the attempt after the run's may start, or None if there is none."""
    if run.attempt >= MAX_ATTEMPTS:
        return None
    delay = ATTEMPT_DELAYS[run.attempt - 1]
    return now + (max(delay, retry_delay) if outcome.may_be_running else delay)


def next_capacity_check(
    first_sent_at: datetime, now: datetime, max_wait: timedelta, retry_after: timedelta = timedelta()
) -> datetime | None:
    """Return when to look for capacity again, or None if the occurrence has waited long enough.

    `retry_after` is what the runner has asked for, if it has.
    """
    deadline = first_sent_at + max_wait
    if now >= deadline:
        return None
    waited = max(now - first_sent_at, timedelta())
    delay = min(max(retry_after or waited / _GROWTH, MIN_CAPACITY_WAIT), MAX_CAPACITY_WAIT)
    return min(now + delay, deadline)


def is_message_lost(run: Run, limits: Limits, now: datetime) -> bool:
    """Return whether the run waits for a message that would have been delivered long since, such as a purged one."""
    return (
        run.status is RunStatus.WAITING
        and run.not_before is not None
        and run.not_before < now - missed_after(limits)
    )


def missed_after(limits: Limits) -> timedelta:
    """Return how long after its window an occurrence without a row in the history counts as missed.

    By then it has either reached the executor or waited as long as it may; one that is delivered later is still run.
    """
    return HAND_OVER_WINDOW + limits.max_wait
