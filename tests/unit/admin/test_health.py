"""What is wrong with a stack, by what was read of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from scheduling.operations.installs.unhealthy import Stopped

from scheduling_admin.health.model import (
    DeadLetterGroup,
    DeadLetterSummary,
    FailingSchedule,
    Listed,
    PendingSummary,
    QueueDepth,
    StackHealth,
    StackMetrics,
    SweepSummary,
)
from scheduling_admin.health.problems import find_problems
from tests.unit.builders import NOW

METRICS = StackMetrics(
    responses={"200": 100},
    finished=100,
    failed=0,
    waiting={},
    max_lateness=timedelta(seconds=2),
    oldest_message_age=timedelta(seconds=1),
    reconciled_at=NOW - timedelta(minutes=5),
)
SWEEP = SweepSummary(
    started_at=NOW - timedelta(hours=1), running=False, next_at=NOW + timedelta(hours=23), finds={}
)
HEALTHY = StackHealth(
    stack_name="stack",
    region="eu-central-1",
    checked_at=NOW,
    metrics=METRICS,
    metrics_problem=None,
    dead_letters=DeadLetterSummary((), complete=True),
    failing=Listed((), complete=True),
    pending=PendingSummary(0, complete=True),
    queue=QueueDepth(0, 0, 0),
    sweep=SWEEP,
    paused_tenants=Listed((Stopped("tenant-1", NOW),), complete=True),
    disabled_installs=Listed((Stopped("install-1", NOW),), complete=True),
    ungranted_installs=Listed((Stopped("install-2", NOW),), complete=True),
    unpublished=0,
)


def metrics(**fields: Any) -> dict[str, Any]:
    return {"metrics": replace(METRICS, **fields)}


def sweep(**fields: Any) -> dict[str, Any]:
    return {"sweep": replace(SWEEP, **fields)}


def letters(count: int, *, complete: bool) -> dict[str, Any]:
    return {"dead_letters": DeadLetterSummary((DeadLetterGroup("no", count, NOW),), complete)}


def pending(**age: float) -> dict[str, Any]:
    return {"pending": PendingSummary(2, True, "tenant t", NOW - timedelta(**age))}


def failing(count: int, *, waiting: bool = False, complete: bool = True) -> dict[str, Any]:
    schedule = FailingSchedule("schedule", None, "install-1", "tenant-1", NOW, waiting, 2, "no")
    return {"failing": Listed([schedule] * count, complete)}


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"sweep": None, **metrics(reconciled_at=None)}, {}, id="a new stack"),
        pytest.param(
            metrics(responses={"200": 5, "execute_failed": 3, "503": 2}), {}, id="the extension fails; busy"
        ),
        pytest.param(
            metrics(responses={"401": 1, "404": 2, "unresolved_host": 3}),
            {"runner-refuses": "The runner refused 6 attempts (401: 1, 404: 2, unresolved_host: 3)."},
            id="the runner refuses",
        ),
        pytest.param(
            metrics(responses={"200": 1, "no_response": 1}),
            {"runner-overloaded": "The runner did not respond to 1 attempt (no_response: 1) in time."},
            id="the runner does not answer in time",
        ),
        pytest.param(
            metrics(responses={"200": 1, "bundle_fetch_failed": 2}),
            {"runner-fails": "The runner could not execute 2 attempts (bundle_fetch_failed: 2)."},
            id="the runner cannot execute",
        ),
        pytest.param(
            metrics(responses={"no_connection": 2}),
            {"runner-down": "The runner is down or has no capacity: 2 attempts (no_connection: 2)."},
            id="the runner is down",
        ),
        pytest.param(metrics(finished=100, failed=25), {}, id="a quarter failed"),
        pytest.param(metrics(finished=4, failed=4), {}, id="all of a few failed"),
        pytest.param(
            metrics(finished=100, failed=26),
            {"failing": "26 of 100 occurrences failed for good."},
            id="more than a quarter failed",
        ),
        pytest.param(
            metrics(max_lateness=timedelta(minutes=31)),
            {"late": "Occurrences are late, by up to 31 min."},
            id="late",
        ),
        pytest.param(
            metrics(oldest_message_age=timedelta(hours=2)),
            {"queue-stuck": "A message has been in the queue for 2 h."},
            id="the queue is stuck",
        ),
        pytest.param(
            {"metrics": None, "metrics_problem": "denied."},
            {"metrics-unread": "The metrics cannot be read: denied."},
            id="no metrics",
        ),
        pytest.param(
            {"metrics": None, "metrics_problem": "denied.", "queue": QueueDepth(7, 0, 2)},
            {
                "metrics-unread": "The metrics cannot be read: denied.",
                "queue-stuck": "No message of the queue is being run, but 7 could be.",
            },
            id="the queue is stuck, without metrics",
        ),
        pytest.param(
            {"metrics": None, "metrics_problem": "denied.", "queue": QueueDepth(7, 1, 2)},
            {"metrics-unread": "The metrics cannot be read: denied."},
            id="the queue is worked off, without metrics",
        ),
        pytest.param({"queue": QueueDepth(7, 0, 2)}, {}, id="a queue that has just got messages"),
        pytest.param(failing(1, waiting=True), {}, id="a schedule waits"),
        pytest.param(failing(1), {"schedules-fail": "1 schedule fails."}, id="a schedule fails"),
        pytest.param(
            failing(50, complete=False),
            {"schedules-fail": "50 or more schedules fail."},
            id="many schedules fail",
        ),
        pytest.param(
            letters(1, complete=True), {"dead-letters": "There is 1 dead letter."}, id="a dead letter"
        ),
        pytest.param(
            letters(1000, complete=False),
            {"dead-letters": "There are more than 1000 dead letters."},
            id="many dead letters",
        ),
        pytest.param(
            {"unpublished": 2}, {"unpublished": "2 batches of changes are not published."}, id="unpublished"
        ),
        pytest.param(pending(minutes=10), {}, id="pending for a while"),
        pytest.param(
            pending(minutes=11),
            {"pending": "A change has been pending for 11 min: tenant t."},
            id="pending for too long",
        ),
        pytest.param(
            {"pending": PendingSummary(1, True, "install i", None)},
            {"pending": "A change has been pending for an unknown time: install i."},
            id="pending since an unreadable time",
        ),
        pytest.param(
            metrics(reconciled_at=NOW - timedelta(minutes=16)),
            {"reconciler-silent": "The reconciler has not reported for 15 min."},
            id="the reconciler is silent",
        ),
        pytest.param(
            sweep(running=True, started_at=NOW - timedelta(hours=25)),
            {"sweep-slow": "The sweep has been running for 1 d 1 h."},
            id="the sweep does not end",
        ),
        pytest.param(
            sweep(next_at=NOW - timedelta(hours=1)),
            {"sweep-overdue": "The next sweep is overdue by 1 h."},
            id="the sweep does not begin",
        ),
        pytest.param(sweep(finds={"timer": 3, "name": 1}), {}, id="the sweep has repaired"),
        pytest.param(
            sweep(finds={"missed": 3, "unreadable": 1}),
            {"sweep-found": "The last sweep found missed: 3, unreadable: 1."},
            id="the sweep has found what it cannot repair",
        ),
    ],
)
def test_problems_of_a_stack(fields: dict[str, Any], problems: dict[str, str]) -> None:
    found = find_problems(replace(HEALTHY, **fields))
    assert {each.code: each.text for each in found} == problems
    assert all(len(each.advice) <= 76 for each in found)
