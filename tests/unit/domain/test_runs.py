from datetime import timedelta
from typing import Any

import pytest
from scheduling.domain.install import SCHEDULER_MANAGE, InstallConfig
from scheduling.domain.runs import (
    Execution,
    Outcome,
    Run,
    RunStatus,
    SkipReason,
    build_next_attempt,
    normalize_scheduled_time,
    skip_reason,
)
from scheduling.domain.schedule import ScheduleState

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


SUCCEEDED = run(status=RunStatus.SUCCESS)
OTHER_RUNNING = {"running_occurrence": "2026-11-23T08:55:00Z", "lease_expires_at": NOW + MICROSECOND}


def test_fire_of_the_current_revision_is_run() -> None:
    assert skip_reason(fire(), install(), schedule(), None, NOW) is None


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (ScheduleState.DELETING, SkipReason.UNKNOWN_SCHEDULE),
        (ScheduleState.ROLLED_BACK, SkipReason.UNKNOWN_SCHEDULE),
    ],
)
def test_a_deleted_schedule_is_not_run(state: ScheduleState, reason: SkipReason) -> None:
    assert skip_reason(fire(), install(), schedule(state=state), None, NOW) is reason


@pytest.mark.parametrize(
    ("of_install", "of_schedule"),
    [({"enabled": False}, {}), ({"deleting": True}, {}), ({}, {"enabled": False})],
    ids=["install disabled", "install being deleted", "schedule disabled"],
)
def test_disabled_schedule_is_not_run(of_install: dict[str, Any], of_schedule: dict[str, Any]) -> None:
    reason = skip_reason(fire(), install(**of_install), schedule(**of_schedule), None, NOW)

    assert reason is SkipReason.DISABLED


@pytest.mark.parametrize(
    ("revision", "reason"),
    [
        (1, SkipReason.STALE_REVISION),
        (2, None),
        (3, SkipReason.STALE_REVISION),
        (5, SkipReason.STALE_REVISION),
    ],
    ids=["older", "the timer's", "newer", "the schedule's"],
)
def test_only_the_current_timer_revision_is_run(revision: int, reason: SkipReason | None) -> None:
    changed_since = schedule(revision=5, timer_revision=2)

    assert skip_reason(fire(timer_revision=revision), install(), changed_since, None, NOW) is reason


def test_schedule_without_the_capability_is_not_run() -> None:
    without = install(granted_capabilities=install().granted_capabilities - {SCHEDULER_MANAGE})

    assert skip_reason(fire(), without, schedule(), None, NOW) is SkipReason.CAPABILITY_REVOKED


def test_running_occurrence_blocks_the_next_until_its_lease_expires() -> None:
    busy = schedule(running_occurrence="2026-11-23T08:55:00Z", lease_expires_at=NOW)

    assert skip_reason(fire(), install(), busy, None, NOW - MICROSECOND) is SkipReason.OVERLAP
    assert skip_reason(fire(), install(), busy, None, NOW) is None


def test_an_occurrence_does_not_overlap_itself() -> None:
    busy = schedule(running_occurrence=fire().scheduled_time, lease_expires_at=NOW + MICROSECOND)

    assert skip_reason(fire(), install(), busy, run(retryable=True), NOW) is None


def test_occurrence_without_attempts_left_is_a_duplicate() -> None:
    assert skip_reason(fire(), install(), schedule(), SUCCEEDED, NOW) is SkipReason.DUPLICATE


def test_retry_waits_for_another_running_occurrence() -> None:
    busy = schedule(**OTHER_RUNNING)

    assert skip_reason(fire(), install(), busy, run(retryable=True), NOW) is SkipReason.OVERLAP


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        pytest.param(
            ["unknown", "disabled", "stale", "revoked", "duplicate", "overlap"], "unknown", id="all"
        ),
        pytest.param(["disabled", "stale", "revoked", "duplicate", "overlap"], "disabled", id="all but one"),
        pytest.param(["stale", "revoked", "duplicate", "overlap"], "stale", id="all but two"),
        pytest.param(["revoked", "duplicate", "overlap"], "revoked", id="all but three"),
        pytest.param(["duplicate", "overlap"], "duplicate", id="the last two"),
        pytest.param(["overlap"], "overlap", id="the last"),
    ],
)
def test_most_permanent_skip_reason_is_returned(reasons: list[str], expected: str) -> None:
    fields: dict[str, Any] = OTHER_RUNNING if "overlap" in reasons else {}
    if "unknown" in reasons:
        fields = {**fields, "state": ScheduleState.DELETING}
    granted = frozenset() if "revoked" in reasons else install().granted_capabilities

    reason = skip_reason(
        fire(timer_revision=9 if "stale" in reasons else 1),
        install(enabled="disabled" not in reasons, granted_capabilities=granted),
        schedule(**fields),
        SUCCEEDED if "duplicate" in reasons else None,
        NOW,
    )

    assert reason == expected


@pytest.mark.parametrize(
    ("fields", "claimable"),
    [
        pytest.param({"status": RunStatus.SUCCESS}, False, id="succeeded"),
        pytest.param({"status": RunStatus.SKIPPED, "attempt": 0}, False, id="skipped"),
        pytest.param({"retryable": False}, False, id="failed permanently"),
        pytest.param({"retryable": True}, True, id="failed once"),
        pytest.param({"retryable": True, "attempt": 2}, True, id="failed twice"),
        pytest.param({"retryable": True, "attempt": 3}, False, id="failed three times"),
        pytest.param(
            {"status": RunStatus.RUNNING, "lease_expires_at": NOW + MICROSECOND}, False, id="running"
        ),
        pytest.param({"status": RunStatus.RUNNING, "lease_expires_at": NOW}, True, id="lease just over"),
        pytest.param(
            {"status": RunStatus.RUNNING, "lease_expires_at": NOW - MICROSECOND}, True, id="lease over"
        ),
        pytest.param(
            {"status": RunStatus.RUNNING, "lease_expires_at": NOW - MICROSECOND, "attempt": 3},
            False,
            id="third lease over",
        ),
        pytest.param(
            {"status": RunStatus.RUNNING, "lease_expires_at": None}, False, id="running without a lease"
        ),
    ],
)
def test_retryable_or_expired_run_can_be_attempted_again(fields: dict[str, Any], claimable: bool) -> None:
    assert run(**fields).is_claimable(NOW, replay=False) is claimable


@pytest.mark.parametrize(
    ("fields", "claimable"),
    [
        pytest.param({"status": RunStatus.SUCCESS}, False, id="never after a success"),
        pytest.param({"status": RunStatus.SKIPPED, "attempt": 0}, False, id="skipped"),
        pytest.param({"attempt": 3}, True, id="attempts used up"),
        pytest.param({"retryable": False}, True, id="failed permanently"),
        pytest.param({"status": RunStatus.MISSED, "attempt": 0}, True, id="missed"),
        pytest.param(
            {"status": RunStatus.RUNNING, "lease_expires_at": NOW + MICROSECOND}, False, id="running"
        ),
        pytest.param(
            {"status": RunStatus.RUNNING, "attempt": 3, "lease_expires_at": NOW}, True, id="lease expired"
        ),
    ],
)
def test_replay_admits_permanently_failed_runs(fields: dict[str, Any], claimable: bool) -> None:
    assert run(**fields).is_claimable(NOW, replay=True) is claimable


def test_late_missed_occurrence_can_run() -> None:
    assert run(status=RunStatus.MISSED, attempt=0, retryable=False).is_claimable(NOW, replay=False)


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
    assert not next_run.is_claimable(NOW + timedelta(seconds=50) - MICROSECOND, replay=False)


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


def test_a_running_attempt_keeps_others_from_starting_until_its_lease_expires() -> None:
    running = run(status=RunStatus.RUNNING, lease_expires_at=NOW)

    before = NOW - MICROSECOND
    assert skip_reason(fire(), install(), schedule(), running, before) is SkipReason.RUNNING
    assert skip_reason(fire(replay=True), install(), schedule(), running, before) is SkipReason.RUNNING
    assert skip_reason(fire(), install(), schedule(), running, NOW) is None


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
