"""Objects that several unit tests of the operator's command line use."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from scheduling.domain.audit.changes import KeptChange
from scheduling.domain.install import Limits
from scheduling.domain.runs import Run, RunStatus
from scheduling.domain.sweeps import TimerSnapshot

from scheduling_admin.explain.evidence import Evidence
from scheduling_admin.health.model import QueueDepth, QueueState
from scheduling_admin.output.times import parse_occurrence_time
from scheduling_admin.stack.dead_letters import DeadLetter
from scheduling_admin.stack.queues import PeekResult
from tests.unit.builders import INSTALL_ID, NOW, SCHEDULE_ID, fire, install, schedule

TIMER = TimerSnapshot(
    group="tenant-1",
    schedule_id=SCHEDULE_ID,
    install_id=INSTALL_ID,
    expression="cron(0 9 * * ? *)",
    timezone="UTC",
    timer_revision=1,
    matches_stack=True,
)
"""The timer of the schedule that `tests.unit.builders.schedule` builds."""
REPLAY_ADVICE = "Once the cause is fixed: scheduling-admin replay"
SWEEP_ADVICE = "To repair it now: scheduling-admin reconcile --sweep"
TIMER_SET_AT = NOW - timedelta(days=10)
REQUEST = "The request id is request-1: search the log group /aws/lambda/stack-execute for it."
SCHEDULED_TIME = "2026-11-23T09:00:00Z"
EMPTY_QUEUE: PeekResult[DeadLetter] = PeekResult((), reached_end=True)
SCHEDULE_FIELDS = {
    "cron",
    "timezone",
    "enabled",
    "created_at",
    "timer_since",
    "pending_since",
    "suspended",
    "disabled_reason",
    "timer_revision",
    "spread_minutes",
}


def build_evidence(time: str = SCHEDULED_TIME, *, minutes_late: float = 20, **fields: Any) -> Evidence:
    """Build the evidence some minutes after the occurrence; fields of the schedule change its schedule."""
    schedule_fields = {name: fields.pop(name) for name in list(fields) if name in SCHEDULE_FIELDS}
    row = schedule(**{"created_at": TIMER_SET_AT, "timer_since": TIMER_SET_AT, **schedule_fields})
    occurrence = parse_occurrence_time(time, row.definition.timezone)
    evidence_fields: dict[str, Any] = {
        "occurrence": occurrence,
        "now": occurrence.moment + timedelta(minutes=minutes_late),
        "install": install(),
        "schedule": row,
        "run": None,
        "overlapping_run": None,
        "timer": TIMER,
        "peek_result": EMPTY_QUEUE,
        "changes": (),
        "limits": Limits(),
        "log_group": "/aws/lambda/stack-execute",
    }
    return Evidence(**{**evidence_fields, **fields})


def build_change(minutes: float, before: Any, after: Any, *, of_install: bool = False) -> KeptChange:
    """Build a change so many minutes after the occurrence, by alice."""
    return KeptChange(
        install_id=INSTALL_ID,
        schedule_id=None if of_install else SCHEDULE_ID,
        name="Changed",
        actor="admin:arn:aws:sts::123456789012:assumed-role/support/alice",
        time=NOW + timedelta(minutes=minutes),
        sequence="1",
        before=before,
        after=after,
    )


def build_run(**fields: Any) -> Run:
    default_run = Run(
        scheduled_time=SCHEDULED_TIME,
        status=RunStatus.SUCCESS,
        attempt=1,
        started_at=NOW + timedelta(seconds=0.4),
        duration_ms=812,
        http_status=200,
        request_id="request-1",
    )
    return replace(default_run, **fields)


def build_queue(
    ready: int = 0, *, running: int = 0, delayed: int = 0, age: timedelta | None = None
) -> QueueState:
    return QueueState(QueueDepth(ready, running, delayed), age)


def build_peek_result(
    *reasons: str | None, reached_end: bool = True, **fields: Any
) -> PeekResult[DeadLetter]:
    dead_letters = [
        DeadLetter(
            message_id=str(n),
            receipt_handle="h",
            sent_at=NOW + timedelta(minutes=5),
            fire=fire(**fields),
            group="tenant-1",
            reason=reason,
        )
        for n, reason in enumerate(reasons)
    ]
    return PeekResult(tuple(dead_letters), reached_end=reached_end)
