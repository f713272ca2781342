from datetime import datetime, timedelta
from typing import Any

import pytest
from scheduling.domain.install import InstallConfig
from scheduling.domain.runs import (
    Execution,
    Outcome,
    Run,
    RunStatus,
    build_next_attempt,
    normalize_manual_time,
    normalize_scheduled_time,
)

from tests.unit.builders import NOW, SCHEDULE_ID, fire, install, schedule

MICROSECOND = timedelta(microseconds=1)


def run(**fields: Any) -> Run:
    return Run(
        **{
            "scheduled_time": fire().scheduled_time,
            "status": RunStatus.ERROR,
            "attempt": 1,
            "started_at": NOW,
            **fields,
        }
    )


@pytest.mark.parametrize(
    ("fields", "final"),
    [
        pytest.param({"status": RunStatus.SUCCESS}, True, id="success"),
        pytest.param({"status": RunStatus.SKIPPED, "attempt": 0}, True, id="skipped"),
        pytest.param({"retryable": False}, True, id="refused"),
        pytest.param({"retryable": True, "attempt": 3}, True, id="third attempt failed"),
        pytest.param({"retryable": True, "attempt": 2}, False, id="second attempt failed"),
        pytest.param({"status": RunStatus.MISSED, "attempt": 0}, False, id="missed"),
        pytest.param({"status": RunStatus.WAITING, "attempt": 0}, False, id="waiting"),
        pytest.param({"status": RunStatus.RUNNING, "attempt": 3}, False, id="running"),
    ],
)
def test_finished_run_is_final(fields: dict[str, Any], final: bool) -> None:
    assert run(**fields).is_final is final


@pytest.mark.parametrize(
    ("lease_expires_at", "expired"),
    [(NOW + MICROSECOND, False), (NOW, True), (NOW - MICROSECOND, True), (None, False)],
    ids=["valid", "just over", "over", "none"],
)
def test_lease_is_held_until_it_expires(lease_expires_at: datetime | None, expired: bool) -> None:
    running = run(status=RunStatus.RUNNING, lease_expires_at=lease_expires_at)

    assert (running.is_lease_expired(NOW), running.holds_lease(NOW)) == (expired, not expired)


@pytest.mark.parametrize(
    ("before", "attempt"),
    [(None, 1), (run(attempt=1), 2), (run(attempt=2), 3)],
    ids=["first", "second", "third"],
)
def test_a_claim_is_the_next_attempt_with_a_lease(before: Run | None, attempt: int) -> None:
    next_run = build_next_attempt(fire(), before, NOW, timedelta(seconds=50))

    assert next_run == Run(
        scheduled_time=fire().scheduled_time,
        status=RunStatus.RUNNING,
        attempt=attempt,
        started_at=NOW,
        request_id=next_run.request_id,
        lease_token=next_run.lease_token,
        lease_expires_at=NOW + timedelta(seconds=50),
    )
    assert next_run.lease_token != build_next_attempt(fire(), before, NOW, timedelta(seconds=50)).lease_token
    assert next_run.holds_lease(NOW + timedelta(seconds=50) - MICROSECOND)


def execution_key(response_count: int = 0, **fields: Any) -> str:
    execution = Execution(
        fire=fire(**fields),
        run=run(response_count=response_count),
        install=install(),
        config=InstallConfig(),
        schedule=schedule(),
    )
    return execution.idempotency_key


def test_the_idempotency_key_names_the_occurrence_and_not_the_revision() -> None:
    assert execution_key() == f"{SCHEDULE_ID}:2026-11-23T09:00:00Z"
    assert execution_key(timer_revision=2) == execution_key()
    assert execution_key(scheduled_time="2026-11-23T09:05:00Z") != execution_key()


def test_the_idempotency_key_changes_with_each_answer() -> None:
    assert len({execution_key(count) for count in range(4)}) == 4


@pytest.mark.parametrize(
    ("outcome", "has_response"),
    [
        pytest.param(Outcome(status=RunStatus.SUCCESS, http_status=200), True, id="success"),
        pytest.param(
            Outcome(status=RunStatus.ERROR, http_status=503, retryable=True), True, id="extension's 5xx"
        ),
        pytest.param(Outcome(status=RunStatus.ERROR), True, id="not understood"),
        pytest.param(Outcome(status=RunStatus.ERROR, retryable=True), False, id="no response"),
        pytest.param(
            Outcome(status=RunStatus.ERROR, runner_status=500, retryable=True), False, id="runner's 5xx"
        ),
    ],
)
def test_outcome_says_whether_the_extension_responded(outcome: Outcome, has_response: bool) -> None:
    assert outcome.has_response is has_response


def test_the_next_attempt_has_its_own_request_and_keeps_the_count_of_answers() -> None:
    first = build_next_attempt(fire(), None, NOW, timedelta(seconds=50))
    second = build_next_attempt(fire(), run(response_count=1), NOW, timedelta(seconds=50))

    assert None not in {first.request_id, second.request_id}
    assert first.request_id != second.request_id
    assert (first.response_count, second.response_count) == (0, 1)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        pytest.param("2026-11-23T09:00:00Z", "2026-11-23T09:00:00Z", id="unchanged"),
        pytest.param("2026-11-23T09:00:00+00:00", "2026-11-23T09:00:00Z", id="offset of zero"),
        pytest.param("2026-11-23T10:00:00+01:00", "2026-11-23T09:00:00Z", id="offset"),
        pytest.param("2026-11-23T00:30:00-05:30", "2026-11-23T06:00:00Z", id="offset back"),
        pytest.param("2026-11-23T09:00:00.999Z", "2026-11-23T09:00:00Z", id="fraction"),
        pytest.param("2027-01-01T00:30:00+01:00", "2026-12-31T23:30:00Z", id="over the year"),
    ],
)
def test_time_is_normalized(text: str, time: str) -> None:
    assert normalize_scheduled_time(text) == time
    assert normalize_scheduled_time(time) == time


@pytest.mark.parametrize(
    ("text", "time"),
    [
        pytest.param("2026-11-23T09:00:00Z", "2026-11-23T09:00:00.000Z", id="no fraction"),
        pytest.param("2026-11-23T10:00:00.042+01:00", "2026-11-23T09:00:00.042Z", id="offset"),
        pytest.param("2026-11-23T09:00:00.999999Z", "2026-11-23T09:00:00.999Z", id="end of the second"),
    ],
)
def test_manual_time_is_normalized(text: str, time: str) -> None:
    assert normalize_manual_time(text) == time
    assert normalize_manual_time(time) == time


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("now", id="a word"),
        pytest.param("2026-11-23T09:00:00", id="no zone"),
        pytest.param("2026-11-23", id="no time"),
        pytest.param("2026-02-30T09:00:00Z", id="no such day"),
        pytest.param("2026-11-23T25:00:00Z", id="no such hour"),
        pytest.param("<aws.scheduler.scheduled-time>", id="not substituted"),
        pytest.param("0001-01-01T00:00:00+23:00", id="before the first year"),
        pytest.param("9999-12-31T23:59:59-23:00", id="after the last year"),
    ],
)
def test_invalid_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any; its text is the library's
        normalize_scheduled_time(text)
