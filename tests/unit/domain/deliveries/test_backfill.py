"""The rules of a backfill: its request, the occurrences of its period, and which of them run."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from scheduling.domain.deliveries.backfill import (
    Backfill,
    BackfillRequest,
    Selection,
    arm_run,
    build_backfill_fire,
    find_occurrences,
    find_resumable,
    parse_backfill_request,
    plan_backfill,
)
from scheduling.domain.errors import BackfillInProgress, ValidationFailed
from scheduling.domain.install import Limits
from scheduling.domain.runs import Run, RunStatus, Trigger
from scheduling.domain.schedule import UNKNOWN_TIME

from tests.unit.builders import INSTALL_ID, NOW, SCHEDULE_ID, schedule

HOUR = timedelta(hours=1)
TIME = "2026-11-23T08:00:00Z"
REQUEST = BackfillRequest(first=NOW - 2 * HOUR, last=NOW, which=Selection.ALL)
BODY: dict[str, object] = {"from": "2026-11-23T08:00:00+01:00", "to": "2026-11-23T09:00:00Z", "which": "all"}
NO_TIME = "must be a time with its offset, such as 2026-11-23T09:00:00Z"


def test_a_request_is_parsed() -> None:
    assert parse_backfill_request(BODY, NOW) == REQUEST
    assert parse_backfill_request({**BODY, "dryRun": True}, NOW).dry_run is True


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        pytest.param({"from": None, "to": None}, {n: f"{n} {NO_TIME}" for n in ("from", "to")}, id="missing"),
        pytest.param({"from": "2026-11-23T08:00:00"}, {"from": f"from {NO_TIME}"}, id="without offset"),
        pytest.param({"from": 5}, {"from": f"from {NO_TIME}"}, id="number"),
        pytest.param({"from": "0001-01-01T00:00:00+01:00"}, {"from": f"from {NO_TIME}"}, id="no year"),
        pytest.param({"from": "2026-11-23T09:00:01Z"}, {"from": "from must not be after to"}, id="reversed"),
        pytest.param({"to": "2026-11-23T09:00:00.001Z"}, {"to": "to must not be in the future"}, id="future"),
        pytest.param({"which": "newest"}, {"which": "which must be latest or all"}, id="which"),
        pytest.param({"which": None}, {"which": "which must be latest or all"}, id="no which"),
        pytest.param({"dryRun": "true"}, {"dryRun": "dryRun must be true or false"}, id="dry run"),
        pytest.param({"limit": 5}, {"limit": "limit is not a known field"}, id="unknown"),
    ],
)
def test_broken_fields_are_reported_together(fields: dict[str, object], errors: dict[str, str]) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        parse_backfill_request({**BODY, **fields}, NOW)
    assert refusal.value.field_errors == errors


@pytest.mark.parametrize(
    ("first", "last", "times"),
    [
        pytest.param(NOW - 2 * HOUR, NOW, [7, 8, 9], id="both ends count"),
        pytest.param(NOW - 2 * HOUR + timedelta(seconds=1), NOW, [8, 9], id="after the first"),
        pytest.param(NOW - 2 * HOUR, NOW - timedelta(microseconds=1), [7, 8], id="before the last"),
        pytest.param(NOW, NOW, [9], id="one"),
        pytest.param(NOW - timedelta(minutes=59), NOW - timedelta(minutes=1), [], id="none"),
    ],
)
def test_the_occurrences_of_a_period(first: datetime, last: datetime, times: list[int]) -> None:
    hourly = schedule(cron="0 * * * *")
    expected = [f"2026-11-23T{hour:02}:00:00Z" for hour in times]
    request = replace(REQUEST, first=first, last=last)
    assert find_occurrences(hourly, request, Limits(), NOW) == expected
    latest = replace(request, which=Selection.LATEST)
    assert find_occurrences(hourly, latest, Limits(), NOW) == expected[-1:]


@pytest.mark.parametrize(
    ("created_at", "first", "refused"),
    [
        pytest.param(NOW - timedelta(days=40), NOW - timedelta(days=30), False, id="as old as the history"),
        pytest.param(NOW - timedelta(days=40), NOW - timedelta(days=31), True, id="older than the history"),
        pytest.param(NOW - timedelta(days=29), NOW - timedelta(days=90), False, id="young schedule"),
        pytest.param(
            NOW, NOW - timedelta(days=9 * 365), True, id="young schedule, older than any rule's gap"
        ),
        pytest.param(UNKNOWN_TIME, NOW - timedelta(days=31), True, id="of unknown age"),
    ],
)
def test_the_history_has_to_cover_the_period(created_at: datetime, first: datetime, refused: bool) -> None:
    monthly = schedule(cron="0 9 1 * *", created_at=created_at)
    request = replace(REQUEST, first=first)
    if refused:
        with pytest.raises(ValidationFailed, match=r"^from must not be before 20.*T09:00:00Z, from which on"):
            find_occurrences(monthly, request, Limits(), NOW)
    else:
        assert find_occurrences(monthly, request, Limits(), NOW)


def test_the_number_of_a_long_period_is_named_and_its_newest_found() -> None:
    frequent = schedule(cron="*/5 * * * *", timezone="Europe/Berlin")  # an hour of each spring is skipped
    request = replace(REQUEST, first=NOW - timedelta(days=7 * 365))
    with pytest.raises(ValidationFailed, match=r"^The period has 735757 occurrences \(max 100\)$"):
        find_occurrences(frequent, request, Limits(), NOW)
    latest = replace(request, which=Selection.LATEST)
    assert find_occurrences(frequent, latest, Limits(), NOW) == ["2026-11-23T09:00:00Z"]


def test_a_one_time_schedule_has_one_occurrence() -> None:
    once = schedule(cron="at(2026-11-23T09:00)", timezone="Europe/Berlin")
    assert find_occurrences(once, REQUEST, Limits(), NOW) == [TIME]
    assert find_occurrences(once, replace(REQUEST, last=NOW - 1.5 * HOUR), Limits(), NOW) == []


def run(**fields: Any) -> Run:
    default = Run(scheduled_time=TIME, status=RunStatus.ERROR, attempt=1, started_at=NOW - HOUR)
    return replace(default, **fields)


ARMED = run(status=RunStatus.WAITING, trigger=Trigger.BACKFILL, wait_token="token", not_before=NOW)
NEWEST = Backfill(
    tenant_id="tenant-1",
    install_id=INSTALL_ID,
    schedule_id=SCHEDULE_ID,
    token="token",
    first=REQUEST.first,
    last=REQUEST.last,
    which=Selection.ALL,
    scheduled_times=[TIME, "2026-11-23T07:00:00Z"],
    requested_at=NOW - HOUR,
    requested_by="admin:x",
    sending_until=None,
    expires_at=NOW + HOUR,
)
INTERRUPTED = replace(NEWEST, sending_until=NOW)


@pytest.mark.parametrize(
    ("before", "resumed", "left_out"),
    [
        pytest.param(None, None, None, id="not in the history"),
        pytest.param(run(), None, None, id="refused"),
        pytest.param(run(attempt=3, retryable=True), None, None, id="failed at the third attempt"),
        pytest.param(run(status=RunStatus.SKIPPED, attempt=0), None, None, id="skipped"),
        pytest.param(run(status=RunStatus.MISSED, attempt=0), None, None, id="missed"),
        pytest.param(replace(ARMED, not_before=NOW - 74 * HOUR), None, None, id="its message was lost"),
        pytest.param(run(status=RunStatus.SUCCESS), None, "success", id="succeeded"),
        pytest.param(run(retryable=True, not_before=NOW), None, "error", id="between attempts"),
        pytest.param(
            run(status=RunStatus.RUNNING, lease_expires_at=NOW + HOUR), None, "running", id="running"
        ),
        pytest.param(run(status=RunStatus.RUNNING, lease_expires_at=NOW), None, "running", id="died"),
        pytest.param(ARMED, None, "waiting", id="waiting"),
        pytest.param(run(unreadable="attempt is malformed"), None, "unreadable", id="unreadable"),
        pytest.param(ARMED, INTERRUPTED, None, id="resumed: armed"),
        pytest.param(replace(ARMED, wait_token="other"), INTERRUPTED, "waiting", id="resumed: continued"),
        pytest.param(run(trigger=Trigger.BACKFILL), INTERRUPTED, "error", id="resumed: failed again"),
        pytest.param(run(started_at=NOW - 2 * HOUR), INTERRUPTED, None, id="resumed: not reached"),
        pytest.param(run(), INTERRUPTED, None, id="resumed: failed meanwhile"),
    ],
)
def test_what_runs(before: Run | None, resumed: Backfill | None, left_out: str | None) -> None:
    plan = plan_backfill([TIME], {TIME: before} if before else {}, resumed, Limits(), NOW)
    assert (plan.scheduled_times, plan.left_out) == (
        ([TIME], {}) if left_out is None else ([], {TIME: left_out})
    )


OTHER_REQUEST = replace(REQUEST, which=Selection.LATEST)
PROGRESS = "A backfill of this schedule is in progress: 1 of 2 have not ended"
STARTING = "A backfill of this schedule is being started"
REPEAT = (
    "A backfill of this schedule was interrupted; repeat it first, from 2026-11-23T07:00:00+00:00 "
    "to 2026-11-23T09:00:00+00:00, all"
)


@pytest.mark.parametrize(
    ("newest", "request_", "before", "expected"),
    [
        pytest.param(None, REQUEST, ARMED, None, id="first"),
        pytest.param(NEWEST, REQUEST, run(), None, id="ended"),
        pytest.param(NEWEST, REQUEST, ARMED, PROGRESS, id="in progress"),
        pytest.param(NEWEST, REQUEST, run(retryable=True, not_before=NOW), PROGRESS, id="between attempts"),
        pytest.param(replace(NEWEST, expires_at=NOW), REQUEST, ARMED, None, id="expired"),
        pytest.param(
            replace(NEWEST, sending_until=NOW + timedelta(seconds=1)), REQUEST, ARMED, STARTING, id="starting"
        ),
        pytest.param(INTERRUPTED, REQUEST, ARMED, INTERRUPTED, id="resumed"),
        pytest.param(INTERRUPTED, OTHER_REQUEST, ARMED, REPEAT, id="interrupted"),
        pytest.param(replace(INTERRUPTED, expires_at=NOW), OTHER_REQUEST, ARMED, None, id="abandoned"),
    ],
)
def test_one_at_a_time(
    newest: Backfill | None, request_: BackfillRequest, before: Run, expected: Backfill | str | None
) -> None:
    if isinstance(expected, str):
        with pytest.raises(BackfillInProgress) as refusal:
            find_resumable(newest, request_, {TIME: before}, Limits(), NOW)
        assert str(refusal.value) == expected
    else:
        assert find_resumable(newest, request_, {TIME: before}, Limits(), NOW) == expected


def test_an_armed_run_continues_to_count() -> None:
    failed = run(attempt=3, response_count=2, http_status=500, error="no", detail="no", retryable=True)
    armed = arm_run(failed, TIME, "token", NOW, NOW + HOUR)

    assert armed == replace(
        ARMED,
        attempt=3,
        response_count=2,
        started_at=NOW,
        not_before=NOW + HOUR,
        lease_token=armed.lease_token,
    )
    assert armed.lease_token != failed.lease_token
    assert build_backfill_fire(schedule(), armed).replay is True
    assert build_backfill_fire(schedule(), arm_run(None, TIME, "token", NOW, NOW)).replay is False
