"""Every kind of change of a run, and the event that it causes."""

from dataclasses import replace

import pytest
from scheduling.domain.audit.events import EventName, ScheduleRun, classify_change
from scheduling.domain.ids import SYSTEM
from scheduling.domain.runs import MAX_ATTEMPTS, Run, RunStatus, Trigger

from tests.unit.builders import INSTALL_ID, NOW, SCHEDULE_ID

RUNNING = Run(
    scheduled_time="2026-11-23T09:00:00Z",
    status=RunStatus.RUNNING,
    attempt=1,
    started_at=NOW,
    lease_token="a",
)
MISSED = replace(RUNNING, status=RunStatus.MISSED, attempt=0)


def attempt(number: int, status: RunStatus, *, retryable: bool = False, **fields: object) -> Run:
    return replace(RUNNING, attempt=number, status=status, retryable=retryable, **fields)  # type: ignore[arg-type]


def running_attempt(number: int) -> Run:
    return attempt(number, RunStatus.RUNNING)


THIRD = attempt(MAX_ATTEMPTS, RunStatus.ERROR, retryable=True)
RUNS: list[tuple[str, Run | None, Run | None, EventName | None]] = [
    ("started", None, RUNNING, None),
    ("succeeded", RUNNING, attempt(1, RunStatus.SUCCESS), None),
    ("failed, to be retried", RUNNING, attempt(1, RunStatus.ERROR, retryable=True), None),
    ("retried", attempt(1, RunStatus.ERROR, retryable=True), running_attempt(2), None),
    ("third attempt failed", running_attempt(3), THIRD, EventName.RUN_FAILED),
    ("refused by the extension", RUNNING, attempt(1, RunStatus.ERROR), EventName.RUN_FAILED),
    (
        "refused, manual run",
        None,
        attempt(1, RunStatus.ERROR, trigger=Trigger.MANUAL),
        EventName.RUN_FAILED,
    ),
    (
        "function died in the third attempt",
        running_attempt(3),
        attempt(3, RunStatus.ERROR),
        EventName.RUN_FAILED,
    ),
    ("replayed", THIRD, running_attempt(4), None),
    (
        "replay failed",
        running_attempt(4),
        attempt(4, RunStatus.ERROR, retryable=True),
        EventName.RUN_FAILED,
    ),
    ("replay succeeded", running_attempt(4), attempt(4, RunStatus.SUCCESS), None),
    ("skipped", None, attempt(0, RunStatus.SKIPPED), None),
    ("missed", None, MISSED, EventName.RUN_MISSED),
    ("missed one ran late", MISSED, RUNNING, None),
    ("written again without a new status", THIRD, replace(THIRD, duration_ms=1), None),
    ("expired", THIRD, None, None),
    ("missed one expired", MISSED, None, None),
]


def occurrence(run: Run | None) -> ScheduleRun | None:
    if run is None:
        return None
    return ScheduleRun(tenant_id="tenant-1", install_id=INSTALL_ID, schedule_id=SCHEDULE_ID, run=run)


@pytest.mark.parametrize(("before", "after", "name"), [pytest.param(*row[1:], id=row[0]) for row in RUNS])
def test_run_change_causes_its_event(before: Run | None, after: Run | None, name: EventName | None) -> None:
    change = classify_change(occurrence(before), occurrence(after))

    assert (change and (change.name, change.actor)) == (name and (name, SYSTEM))
