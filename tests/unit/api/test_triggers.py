from typing import Any

import pytest
from pydantic import ValidationError
from scheduling.api.observability import logger
from scheduling.api.triggers import parse_fire, run_and_report
from scheduling.domain.runs import Run, RunStatus, SkipReason

from tests.unit.builders import INSTALL_ID, NOW, SCHEDULE_ID, fire

EVENT: dict[str, Any] = {
    "installId": INSTALL_ID,
    "scheduleId": SCHEDULE_ID,
    "revision": 1,
    "scheduledTime": "2026-11-23T09:00:00Z",
    "attempt": "1",
}
OCCURRENCE = {"scheduleId": SCHEDULE_ID, "scheduledTime": "2026-11-23T09:00:00Z"}


def test_event_is_parsed_into_a_fire() -> None:
    assert parse_fire(EVENT) == fire()


def test_attempt_is_not_part_of_the_fire() -> None:
    assert parse_fire({**EVENT, "attempt": "2"}) == parse_fire(EVENT)
    assert parse_fire({name: value for name, value in EVENT.items() if name != "attempt"}) == fire()


def test_scheduled_time_is_normalized() -> None:
    assert parse_fire({**EVENT, "scheduledTime": "2026-11-23T10:00:00+01:00"}) == fire()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("installId", None),
        ("scheduleId", 1),
        ("revision", "x"),
        ("revision", None),
        ("scheduledTime", "<aws.scheduler.scheduled-time>"),
        ("scheduledTime", "2026-11-23T09:00:00"),
        ("scheduledTime", None),
    ],
)
def test_wrong_field_is_named(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        parse_fire({**EVENT, field: value})

    assert [error["loc"] for error in refused.value.errors()] == [(field,)]


@pytest.mark.parametrize("field", ["installId", "scheduleId", "revision", "scheduledTime"])
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        parse_fire({name: value for name, value in EVENT.items() if name != field})

    assert [error["loc"] for error in refused.value.errors()] == [(field,)]


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (SkipReason.DUPLICATE, "duplicate"),
        (SkipReason.OVERLAP, "overlap"),
        (SkipReason.UNKNOWN_SCHEDULE, "unknown"),
        (SkipReason.STALE_REVISION, "stale"),
        (SkipReason.DISABLED, "disabled"),
        (SkipReason.CAPABILITY_REVOKED, "revoked"),
    ],
)
def test_skip_reason_is_reported(reason: SkipReason, status: str) -> None:
    assert run_and_report(fire(), lambda: reason) == {**OCCURRENCE, "status": status}


RUN = Run(
    scheduled_time="2026-11-23T09:00:00Z", status=RunStatus.ERROR, attempt=2, started_at=NOW, error="no"
)


@pytest.mark.parametrize(
    ("result", "status"),
    [pytest.param(SkipReason.DISABLED, "disabled", id="not run"), pytest.param(RUN, "error", id="run")],
)
def test_result_of_an_occurrence_is_logged(
    monkeypatch: pytest.MonkeyPatch, result: Run | SkipReason, status: str
) -> None:
    logged: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(logger, "info", lambda message, **fields: logged.append((message, fields)))

    run_and_report(fire(), lambda: result)

    assert logged == [("occurrence", {"scheduled_time": "2026-11-23T09:00:00Z", "status": status})]


@pytest.mark.parametrize(
    ("status", "error"),
    [(RunStatus.SUCCESS, None), (RunStatus.ERROR, "The extension answered 404: no")],
)
def test_a_run_is_reported(status: RunStatus, error: str | None) -> None:
    run = Run(scheduled_time=fire().scheduled_time, status=status, attempt=2, started_at=NOW, error=error)

    assert run_and_report(fire(), lambda: run) == {
        **OCCURRENCE,
        "status": status.value,
        "attempt": 2,
        "error": error,
    }
