"""How long an occurrence waits, and what follows an attempt."""

from dataclasses import replace
from datetime import timedelta

import pytest
from scheduling.domain.deliveries.waiting import FollowUp, next_capacity_check, plan_follow_up
from scheduling.domain.runs import NO_RESPONSE, UNRESOLVED_HOST, Outcome, Run, RunStatus

from tests.unit.builders import NOW

MAX_WAIT, RETRY_DELAY = timedelta(hours=72), timedelta(seconds=90)
ENDED = Run(
    scheduled_time="2026-11-23T09:00:00Z",
    status=RunStatus.ERROR,
    attempt=1,
    started_at=NOW,
    retryable=True,
    duration_ms=5,
)
ANSWERED = Outcome(status=RunStatus.ERROR, http_status=500, retryable=True)
UNANSWERED = Outcome(status=RunStatus.ERROR, retryable=True, runner_error=NO_RESPONSE)
CUT_OFF = Outcome(status=RunStatus.ERROR, retryable=True)
REFUSED_BY_RUNNER = Outcome(status=RunStatus.ERROR, retryable=True, runner_status=500)
UNKNOWN_HOST = Outcome(status=RunStatus.ERROR, retryable=True, runner_error=UNRESOLVED_HOST)
OVERLOADED = Outcome(status=RunStatus.ERROR, retryable=True, runner_status=503, retry_after=timedelta())


def follow_up(run: Run, outcome: Outcome, *, waited: timedelta = timedelta()) -> FollowUp:
    return plan_follow_up(
        run, outcome, first_sent_at=NOW - waited, now=NOW, max_wait=MAX_WAIT, retry_delay=RETRY_DELAY
    )


@pytest.mark.parametrize(
    ("attempt", "outcome", "seconds"),
    [
        pytest.param(1, ANSWERED, 60, id="first, answered"),
        pytest.param(2, ANSWERED, 120, id="second, answered"),
        pytest.param(1, UNANSWERED, 90, id="first, may be running"),
        pytest.param(1, CUT_OFF, 90, id="first, cut off"),
        pytest.param(2, UNANSWERED, 120, id="second, may be running"),
        pytest.param(1, REFUSED_BY_RUNNER, 60, id="refused by the runner"),
        pytest.param(1, UNKNOWN_HOST, 60, id="nothing was sent"),
    ],
)
def test_next_attempt_follows_after_one_and_two_minutes(attempt: int, outcome: Outcome, seconds: int) -> None:
    run = replace(ENDED, attempt=attempt)
    until = NOW + timedelta(seconds=seconds)

    assert follow_up(run, outcome) == FollowUp(replace(run, not_before=until), until)


@pytest.mark.parametrize("attempt", [3, 4])
def test_nothing_but_a_dead_letter_follows_the_third_attempt(attempt: int) -> None:
    run = replace(ENDED, attempt=attempt)
    assert follow_up(run, ANSWERED) == FollowUp(run, dead_letter=True)


@pytest.mark.parametrize(
    "outcome", [Outcome(status=RunStatus.SUCCESS, http_status=200), Outcome(status=RunStatus.ERROR)]
)
def test_nothing_follows_a_final_outcome(outcome: Outcome) -> None:
    assert follow_up(ENDED, outcome) == FollowUp(ENDED)


@pytest.mark.parametrize("attempt", [1, 3, 4])
def test_lack_of_capacity_is_no_attempt(attempt: int) -> None:
    planned = follow_up(replace(ENDED, attempt=attempt), OVERLOADED)

    assert planned.until == NOW + timedelta(seconds=30)
    assert (planned.run.status, planned.run.attempt) == (RunStatus.WAITING, attempt - 1)
    assert (planned.run.not_before, planned.run.duration_ms) == (planned.until, None)


def test_lack_of_capacity_ends_in_a_dead_letter() -> None:
    planned = follow_up(ENDED, OVERLOADED, waited=MAX_WAIT)

    assert (planned.dead_letter, planned.until) == (True, None)
    assert (planned.run.status, planned.run.attempt, planned.run.failed_permanently) == (
        RunStatus.ERROR,
        0,
        True,
    )


@pytest.mark.parametrize(
    ("waited", "retry_after", "expected"),
    [
        pytest.param(0, 0, 30, id="at first half a minute"),
        pytest.param(120, 0, 30, id="a fourth of the wait so far"),
        pytest.param(600, 0, 150, id="growing"),
        pytest.param(40_000, 0, 900, id="a quarter of an hour at most"),
        pytest.param(600, 45, 45, id="what the runner asks for"),
        pytest.param(0, 5, 30, id="but not less than half a minute"),
        pytest.param(0, 86_400, 900, id="nor more than a quarter of an hour"),
        pytest.param(72 * 3600 - 10, 0, 10, id="until the deadline"),
        pytest.param(72 * 3600, 0, None, id="at the deadline"),
        pytest.param(-60, 0, 30, id="sent by a clock that is ahead"),
    ],
)
def test_capacity_is_looked_for_again(waited: int, retry_after: int, expected: int | None) -> None:
    check_time = next_capacity_check(
        NOW - timedelta(seconds=waited), NOW, MAX_WAIT, timedelta(seconds=retry_after)
    )

    assert check_time == (None if expected is None else NOW + timedelta(seconds=expected))
