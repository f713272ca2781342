"""The situations of an occurrence that the history has."""

from dataclasses import replace
from datetime import timedelta

from scheduling.domain.runs import NO_RESPONSE, RunStatus, Trigger

from scheduling_admin.explain.evidence import Verdict
from scheduling_admin.status import OVERLOAD_ADVICE
from tests.unit.admin.builders import (
    REPLAY_ADVICE,
    REQUEST,
    TIMER,
    build_evidence,
    build_peek_result,
    build_run,
)
from tests.unit.builders import NOW

RETRYABLE_FAILURE = {
    "status": RunStatus.ERROR,
    "http_status": 503,
    "error": "The extension answered 503",
    "retryable": True,
}
TIMED_OUT = {
    "status": RunStatus.ERROR,
    "http_status": None,
    "runner_error": NO_RESPONSE,
    "duration_ms": 60_000,
    "error": "The runner did not answer within 60 s",
    "retryable": True,
}
ATTEMPT_START = "started at 2026-11-23T09:00:00.400Z, 400 ms after the scheduled time"
UNANSWERED = f"Attempt 1 {ATTEMPT_START}, took 30 s, and got no response from the extension."

HISTORY_SITUATIONS = {
    "success": (
        build_evidence(run=build_run()),
        Verdict.SUCCEEDED,
        "It succeeded at attempt 1.",
        [f"Attempt 1 {ATTEMPT_START}, took 812 ms, and got status 200 from the extension.", REQUEST],
        [],
    ),
    "success within its window": (
        build_evidence(run=build_run(started_at=NOW + timedelta(minutes=7)), spread_minutes=15),
        Verdict.SUCCEEDED,
        "It succeeded at attempt 1.",
        [
            "Attempt 1 started at 2026-11-23T09:07:00.000Z, 7 min after the scheduled time (it may start within "
            "15 min), took 812 ms, and got status 200 from the extension.",
            REQUEST,
        ],
        [],
    ),
    "success of a manual run": (
        build_evidence("2026-11-23T09:00:00.123Z", run=build_run(trigger=Trigger.MANUAL, attempt=2)),
        Verdict.SUCCEEDED,
        "It succeeded at attempt 2.",
        [
            "It was a manual run.",
            "Attempt 2 started at 2026-11-23T09:00:00.400Z, 277 ms after the scheduled time, took 812 ms, "
            "and got status 200 from the extension.",
            REQUEST,
        ],
        [],
    ),
    "running": (
        build_evidence(
            run=build_run(
                status=RunStatus.RUNNING, lease_expires_at=NOW + timedelta(seconds=50), duration_ms=None
            ),
            minutes_late=0.5,
        ),
        Verdict.RUNNING,
        "It is running: attempt 1 started 30 s ago.",
        [REQUEST],
        [],
    ),
    "crashed": (
        build_evidence(
            run=build_run(
                status=RunStatus.RUNNING, lease_expires_at=NOW + timedelta(seconds=50), duration_ms=None
            )
        ),
        Verdict.CRASHED,
        "It started but never ended: the function died during attempt 1.",
        [
            "It started at 2026-11-23T09:00:00.400Z; whether the extension completed its work is unknown.",
            "The queue delivers it again within minutes; the daily sweep closes runs that never end.",
            REQUEST,
            "It is not in the dead-letter queue.",
        ],
        [],
    ),
    "the extension's own response": (
        build_evidence(
            run=build_run(status=RunStatus.ERROR, http_status=422, error="The extension answered 422"),
            peek_result=None,
        ),
        Verdict.FAILED,
        "It failed at attempt 1 and is not retried.",
        [
            f"Attempt 1 {ATTEMPT_START}, took 812 ms, and got status 422 from the extension.",
            REQUEST,
            "Error: The extension answered 422",
            "A 4xx status is the extension's own response, which is final.",
        ],
        [],
    ),
    "a permanent error": (
        build_evidence(
            run=build_run(status=RunStatus.ERROR, http_status=None, error="The answer is too large"),
            peek_result=None,
        ),
        Verdict.FAILED,
        "It failed at attempt 1 and is not retried.",
        [
            f"Attempt 1 {ATTEMPT_START}, took 812 ms, and got no response from the extension.",
            REQUEST,
            "Error: The answer is too large",
            "Another attempt would fail the same way.",
        ],
        [],
    ),
    "refused by the runner": (
        build_evidence(
            run=build_run(
                status=RunStatus.ERROR,
                http_status=None,
                runner_status=422,
                error="The runner answered 422",
                detail="The runner answered 422: limits.timeout_ms is missing",
                retryable=True,
                attempt=3,
            ),
        ),
        Verdict.FAILED,
        "It failed permanently at attempt 3.",
        [
            f"Attempt 3 {ATTEMPT_START}, took 812 ms, and got status 422 from the runner.",
            REQUEST,
            "Error: The runner answered 422: limits.timeout_ms is missing",
            "It is not in the dead-letter queue.",
        ],
        [],
    ),
    "an error of the runner": (
        build_evidence(
            run=build_run(
                status=RunStatus.ERROR,
                http_status=None,
                runner_error="unknown_capabilities",
                error="unknown_capabilities",
                detail="unknown_capabilities: cap:teleport",
            ),
            peek_result=None,
        ),
        Verdict.FAILED,
        "It failed at attempt 1 and is not retried.",
        [
            f"Attempt 1 {ATTEMPT_START}, took 812 ms, and got the error unknown_capabilities from the runner.",
            REQUEST,
            "Error: unknown_capabilities: cap:teleport",
            "Another attempt would fail the same way.",
        ],
        [],
    ),
    "timed out at the runner": (
        build_evidence(run=build_run(**{**TIMED_OUT, "attempt": 3})),
        Verdict.FAILED,
        "It failed permanently at attempt 3.",
        [
            f"Attempt 3 {ATTEMPT_START}, took 1 min, and got no answer from the runner in time.",
            REQUEST,
            "Error: The runner did not answer within 60 s",
            "It is not in the dead-letter queue.",
        ],
        [OVERLOAD_ADVICE],
    ),
    "timed out, and is tried again": (
        build_evidence(
            run=build_run(**TIMED_OUT, not_before=NOW + timedelta(minutes=2)),
            minutes_late=1,
        ),
        Verdict.RETRYING,
        "Attempt 1 of 3 failed; the next attempt follows.",
        [
            f"Attempt 1 {ATTEMPT_START}, took 1 min, and got no answer from the runner in time.",
            REQUEST,
            "Error: The runner did not answer within 60 s",
            "It is tried again at 2026-11-23T09:02:00.000Z.",
        ],
        [OVERLOAD_ADVICE],
    ),
    "next attempt follows": (
        build_evidence(
            run=build_run(
                **{
                    **RETRYABLE_FAILURE,
                    "http_status": None,
                    "duration_ms": 30_000,
                    "error": "No answer within 30 s",
                    "not_before": NOW + timedelta(minutes=2),
                }
            ),
            minutes_late=1,
        ),
        Verdict.RETRYING,
        "Attempt 1 of 3 failed; the next attempt follows.",
        [
            UNANSWERED,
            REQUEST,
            "Error: No answer within 30 s",
            "It is tried again at 2026-11-23T09:02:00.000Z.",
        ],
        [],
    ),
    "waiting for capacity": (
        build_evidence(
            run=build_run(
                status=RunStatus.WAITING,
                attempt=0,
                duration_ms=None,
                http_status=None,
                error="The runner answered 503",
                wait_token="token",
                not_before=NOW + timedelta(minutes=21),
            )
        ),
        Verdict.WAITING,
        "It is waiting: the runner answered 503.",
        [
            "That is no attempt. It waits for up to MaxWaitHours, and is a dead letter then.",
            "It is tried again at 2026-11-23T09:21:00.000Z.",
            REQUEST,
            "It is not in the dead-letter queue.",
        ],
        [],
    ),
    "no further attempt": (
        build_evidence(run=build_run(**RETRYABLE_FAILURE, attempt=2)),
        Verdict.FAILED,
        "It failed at attempt 2 of 3, and no further attempt was made.",
        [
            f"Attempt 2 {ATTEMPT_START}, took 812 ms, and got status 503 from the extension.",
            REQUEST,
            "Error: The extension answered 503",
            "It is not in the dead-letter queue.",
        ],
        [],
    ),
    "failed permanently, with its dead letter": (
        build_evidence(
            run=build_run(**RETRYABLE_FAILURE, attempt=3),
            peek_result=build_peek_result("Attempt 3 failed; the history has the reason"),
        ),
        Verdict.FAILED,
        "It failed permanently at attempt 3.",
        [
            f"Attempt 3 {ATTEMPT_START}, took 812 ms, and got status 503 from the extension.",
            REQUEST,
            "Error: The extension answered 503",
            "It has been in the dead-letter queue since 2026-11-23T09:05:00.000Z: "
            "Attempt 3 failed; the history has the reason",
        ],
        [REPLAY_ADVICE],
    ),
    "failed permanently, its dead letter not in the peek": (
        build_evidence(
            run=build_run(**RETRYABLE_FAILURE, attempt=3),
            peek_result=build_peek_result("x", scheduled_time="2026-11-22T09:00:00Z", reached_end=False),
        ),
        Verdict.FAILED,
        "It failed permanently at attempt 3.",
        [
            f"Attempt 3 {ATTEMPT_START}, took 812 ms, and got status 503 from the extension.",
            REQUEST,
            "Error: The extension answered 503",
            "It is not among the first 1 dead letters; the queue has more.",
        ],
        [],
    ),
    "skipped for an overlap": (
        build_evidence(
            run=build_run(
                status=RunStatus.SKIPPED,
                request_id=None,
                attempt=0,
                error="The previous run was still running",
                duration_ms=None,
            ),
            overlapping_run=build_run(
                scheduled_time="2026-11-23T08:55:00Z",
                started_at=NOW - timedelta(minutes=5),
                duration_ms=310_000,
            ),
            peek_result=None,
        ),
        Verdict.SKIPPED,
        "It was skipped: the previous run was still running.",
        [
            "The run of 2026-11-23T08:55:00Z was running: it started at 2026-11-23T08:55:00.000Z and took 5 min 10 s."
        ],
        [],
    ),
    "skipped for an overlap that has not ended": (
        build_evidence(
            run=build_run(
                status=RunStatus.SKIPPED,
                request_id=None,
                attempt=0,
                error="The previous run was still running",
            ),
            overlapping_run=build_run(
                scheduled_time="2026-11-23T08:55:00Z", started_at=NOW - timedelta(minutes=5), duration_ms=None
            ),
        ),
        Verdict.SKIPPED,
        "It was skipped: the previous run was still running.",
        [
            "The run of 2026-11-23T08:55:00Z was running: it started at 2026-11-23T08:55:00.000Z and has not ended."
        ],
        [],
    ),
    "skipped without the capability": (
        build_evidence(
            run=build_run(
                status=RunStatus.SKIPPED,
                request_id=None,
                attempt=0,
                error="The install no longer has cap:scheduler.manage",
            )
        ),
        Verdict.SKIPPED,
        "It was skipped: the install no longer has cap:scheduler.manage.",
        [],
        [],
    ),
    "missed while its timer was gone": (
        build_evidence(
            run=build_run(status=RunStatus.MISSED, attempt=0, started_at=NOW + timedelta(hours=3)),
            timer=replace(TIMER, created_at=NOW + timedelta(minutes=10)),
        ),
        Verdict.MISSED,
        "It was missed: EventBridge did not deliver it.",
        [
            "The sweep recorded this at 2026-11-23T12:00:00.000Z. It cannot come any more.",
            "EventBridge has its timer since Mon 2026-11-23 09:10 UTC only: the one before was deleted, or never "
            "created.",
            "It is not in the dead-letter queue.",
        ],
        [],
    ),
    "missed": (
        build_evidence(
            run=build_run(
                status=RunStatus.MISSED, request_id=None, attempt=0, started_at=NOW + timedelta(hours=3)
            ),
            peek_result=build_peek_result(None),
        ),
        Verdict.MISSED,
        "It was missed: EventBridge did not deliver it.",
        [
            "The sweep recorded this at 2026-11-23T12:00:00.000Z. If the occurrence is delivered later, it still runs.",
            "It has been in the dead-letter queue since 2026-11-23T09:05:00.000Z.",
        ],
        [REPLAY_ADVICE],
    ),
}
