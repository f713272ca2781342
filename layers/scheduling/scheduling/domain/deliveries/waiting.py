"""How long an occurrence waits: before its next attempt, and for capacity (contract, section 6)."""

from datetime import datetime, timedelta

from scheduling.domain.runs import MAX_ATTEMPTS, Outcome, Run

ATTEMPT_DELAYS = (timedelta(minutes=1), timedelta(minutes=2))
"""The delays after the first and the second attempt."""

MIN_CAPACITY_WAIT, MAX_CAPACITY_WAIT = timedelta(seconds=30), timedelta(minutes=15)
"""The bounds of one wait for capacity."""

_GROWTH = 4
"""A wait for capacity takes at most a fourth of the time waited so far, so that waits get longer."""


def next_attempt_time(run: Run, outcome: Outcome, now: datetime, retry_delay: timedelta) -> datetime | None:
    """Return when the attempt after the run's may start, or None if there is none.

    `retry_delay` is the minimum after an attempt that the runner may still be executing.
    """
    if not outcome.retryable or run.attempt >= MAX_ATTEMPTS:
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
