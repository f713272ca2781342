"""Each situation that an occurrence may have been in, with the very sentences that tell of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from scheduling.domain.runs import Run, RunStatus, Trigger
from scheduling.domain.sweeps import TimerSnapshot

from scheduling_admin.explain.engine import explain_occurrence
from scheduling_admin.explain.evidence import Evidence, Verdict
from scheduling_admin.output.times import parse_occurrence_time
from scheduling_admin.stack.dead_letters import DeadLetter, PeekResult
from tests.unit.builders import INSTALL_ID, NOW, SCHEDULE_ID, fire, install, schedule

TIMER_SET_AT = NOW - timedelta(days=10)
SCHEDULED_TIME = "2026-11-23T09:00:00Z"
TIMER = TimerSnapshot(
    schedule_id=SCHEDULE_ID,
    install_id=INSTALL_ID,
    expression="cron(0 9 * * ? *)",
    timezone="UTC",
    revision=1,
    matches_stack=True,
)
EMPTY_QUEUE = PeekResult((), reached_end=True)
BERLIN_NIGHT: dict[str, Any] = {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}


def build_evidence(time: str = SCHEDULED_TIME, *, minutes_late: float = 20, **fields: Any) -> Evidence:
    """Of the occurrence, as it stands so many minutes after it; fields of the schedule go into it."""
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
        "history_days": 30,
        "log_group": "/aws/lambda/stack-execute",
    }
    return Evidence(**{**evidence_fields, **fields})


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
}


def build_run(**fields: Any) -> Run:
    default_run = Run(
        scheduled_time=SCHEDULED_TIME,
        status=RunStatus.SUCCESS,
        attempt=1,
        started_at=NOW + timedelta(seconds=0.4),
        duration_ms=812,
        http_status=200,
    )
    return replace(default_run, **fields)


def build_peek_result(*reasons: str | None, reached_end: bool = True, **fields: Any) -> PeekResult:
    dead_letters = [
        DeadLetter(
            message_id=str(n),
            receipt_handle="h",
            sent_at=NOW + timedelta(minutes=5),
            fire=fire(**fields),
            reason=reason,
        )
        for n, reason in enumerate(reasons)
    ]
    return PeekResult(tuple(dead_letters), reached_end=reached_end)


RETRYABLE_FAILURE = {
    "status": RunStatus.ERROR,
    "http_status": 503,
    "error": "The extension answered 503",
    "retryable": True,
}
ATTEMPT_START = "began 2026-11-23T09:00:00.400Z, 0.4 s after its time,"
UNANSWERED = f"Attempt 1 {ATTEMPT_START} took 30000 ms, and there was no answer of the extension."
REPLAY_ADVICE = "Once the cause is mended: scheduling-admin replay"
SWEEP_ADVICE = "To mend it now: scheduling-admin reconcile --sweep"

FROM_HISTORY = {
    "success": (
        build_evidence(run=build_run()),
        Verdict.SUCCEEDED,
        "It ran, with success at attempt 1.",
        [f"Attempt 1 {ATTEMPT_START} took 812 ms, and was answered 200."],
        [],
    ),
    "success of a manual run": (
        build_evidence("2026-11-23T09:00:00.123Z", run=build_run(trigger=Trigger.MANUAL, attempt=2)),
        Verdict.SUCCEEDED,
        "It ran, with success at attempt 2.",
        [
            "It was run by hand.",
            "Attempt 2 began 2026-11-23T09:00:00.400Z, 0.3 s after its time, took 812 ms, and was answered 200.",
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
        "It is running: attempt 1 began 30 s ago.",
        [],
        [],
    ),
    "crashed": (
        build_evidence(
            run=build_run(
                status=RunStatus.RUNNING, lease_expires_at=NOW + timedelta(seconds=50), duration_ms=None
            )
        ),
        Verdict.CRASHED,
        "It began and never ended: the function that ran it died during attempt 1.",
        [
            "It began 2026-11-23T09:00:00.400Z; whether the extension did its work is not known.",
            "Lambda may try it again within minutes; the daily sweep closes what stays open.",
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
        "It failed at attempt 1, and is not tried again.",
        [
            f"Attempt 1 {ATTEMPT_START} took 812 ms, and was answered 422.",
            "The error: The extension answered 422",
            "An answer of 4xx is the extension's own.",
        ],
        [],
    ),
    "a permanent error": (
        build_evidence(
            run=build_run(status=RunStatus.ERROR, http_status=None, error="The answer is too large"),
            peek_result=None,
        ),
        Verdict.FAILED,
        "It failed at attempt 1, and is not tried again.",
        [
            f"Attempt 1 {ATTEMPT_START} took 812 ms, and there was no answer of the extension.",
            "The error: The answer is too large",
            "Another attempt would fail the same way.",
        ],
        [],
    ),
    "a next attempt is upcoming": (
        build_evidence(
            run=build_run(
                **{
                    **RETRYABLE_FAILURE,
                    "http_status": None,
                    "duration_ms": 30_000,
                    "error": "No answer within 30 s",
                }
            ),
            minutes_late=1,
        ),
        Verdict.RETRYING,
        "Attempt 1 of 3 failed; the next one is to come.",
        [
            UNANSWERED,
            "The error: No answer within 30 s",
            "Lambda tries again after one minute, then after two.",
        ],
        [],
    ),
    "no next attempt came": (
        build_evidence(run=build_run(**RETRYABLE_FAILURE, attempt=2)),
        Verdict.FAILED,
        "It failed at attempt 2 of 3, and no further one came.",
        [
            f"Attempt 2 {ATTEMPT_START} took 812 ms, and was answered 503.",
            "The error: The extension answered 503",
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
        "It failed for good, at attempt 3.",
        [
            f"Attempt 3 {ATTEMPT_START} took 812 ms, and was answered 503.",
            "The error: The extension answered 503",
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
        "It failed for good, at attempt 3.",
        [
            f"Attempt 3 {ATTEMPT_START} took 812 ms, and was answered 503.",
            "The error: The extension answered 503",
            "It is not among the first 1 letters of the dead-letter queue.",
        ],
        [],
    ),
    "skipped for an overlap": (
        build_evidence(
            run=build_run(
                status=RunStatus.SKIPPED,
                attempt=0,
                error="The previous run was still under way",
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
        "It was skipped: the previous run was still under way.",
        ["That of 2026-11-23T08:55:00Z was under way: it began 2026-11-23T08:55:00.000Z and took 310000 ms."],
        [],
    ),
    "skipped for an overlap that lasts": (
        build_evidence(
            run=build_run(status=RunStatus.SKIPPED, attempt=0, error="The previous run was still under way"),
            overlapping_run=build_run(
                scheduled_time="2026-11-23T08:55:00Z", started_at=NOW - timedelta(minutes=5), duration_ms=None
            ),
        ),
        Verdict.SKIPPED,
        "It was skipped: the previous run was still under way.",
        ["That of 2026-11-23T08:55:00Z was under way: it began 2026-11-23T08:55:00.000Z and has not ended."],
        [],
    ),
    "skipped without the capability": (
        build_evidence(
            run=build_run(
                status=RunStatus.SKIPPED, attempt=0, error="The install no longer has cap:scheduler.manage"
            )
        ),
        Verdict.SKIPPED,
        "It was skipped: the install no longer has cap:scheduler.manage.",
        [],
        [],
    ),
    "missed": (
        build_evidence(
            run=build_run(status=RunStatus.MISSED, attempt=0, started_at=NOW + timedelta(hours=3)),
            peek_result=build_peek_result(None),
        ),
        Verdict.MISSED,
        "It was missed: EventBridge did not deliver it.",
        [
            "The sweep found that 2026-11-23T12:00:00.000Z. Should it be delivered after all, it is still run.",
            "It has been in the dead-letter queue since 2026-11-23T09:05:00.000Z.",
        ],
        [REPLAY_ADVICE],
    ),
}

BY_RULE = {
    "not scheduled": (
        build_evidence("2026-11-23T09:05:00Z"),
        Verdict.NOT_SCHEDULED,
        "It is not due: 0 9 * * * in UTC does not fire Mon 2026-11-23 09:05 UTC.",
        ["The fire before is Mon 2026-11-23 09:00 UTC.", "The fire after is Tue 2026-11-24 09:00 UTC."],
        [],
    ),
    "not scheduled, by seconds": (
        build_evidence("2026-11-23T09:00:01Z"),
        Verdict.NOT_SCHEDULED,
        "It is not due: 0 9 * * * in UTC does not fire Mon 2026-11-23 09:00:01 UTC.",
        ["The fire before is Mon 2026-11-23 09:00 UTC.", "The fire after is Tue 2026-11-24 09:00 UTC."],
        [],
    ),
    "the timezone was ignored": (
        build_evidence("2026-11-23T09:00:00Z", timezone="Europe/Berlin"),
        Verdict.NOT_SCHEDULED,
        "It is not due: 0 9 * * * in Europe/Berlin does not fire Mon 2026-11-23 10:00 CET (2026-11-23T09:00:00Z).",
        [
            "The fire before is Mon 2026-11-23 09:00 CET (2026-11-23T08:00:00Z).",
            "The fire after is Tue 2026-11-24 09:00 CET (2026-11-24T08:00:00Z).",
        ],
        [],
    ),
    "a local time that does not exist": (
        build_evidence("2027-03-28T02:30", **BERLIN_NIGHT),
        Verdict.NOT_SCHEDULED,
        "It is not due: Sun 2027-03-28 02:30 does not exist in Europe/Berlin, where clocks are put forward over it.",
        [
            "The fire before is Sat 2027-03-27 02:30 CET (2027-03-27T01:30:00Z).",
            "The fire after is Mon 2027-03-29 02:30 CEST (2027-03-29T00:30:00Z).",
        ],
        [],
    ),
    "the hour after one that does not exist": (
        build_evidence("2027-03-28T01:30:00Z", **BERLIN_NIGHT),
        Verdict.NOT_SCHEDULED,
        "It is not due: 30 2 * * * in Europe/Berlin does not fire Sun 2027-03-28 03:30 CEST (2027-03-28T01:30:00Z).",
        [
            "The fire before is Sat 2027-03-27 02:30 CET (2027-03-27T01:30:00Z).",
            "The fire after is Mon 2027-03-29 02:30 CEST (2027-03-29T00:30:00Z).",
            "Sun 2027-03-28 02:30 is skipped: it does not exist in Europe/Berlin, "
            "where clocks are put forward over it.",
        ],
        [],
    ),
    "the second of a local time that comes twice": (
        build_evidence("2027-10-31T01:30:00Z", **BERLIN_NIGHT),
        Verdict.NOT_SCHEDULED,
        "It is not due: 30 2 * * * in Europe/Berlin does not fire Sun 2027-10-31 02:30 CET (2027-10-31T01:30:00Z).",
        [
            "This time comes twice there, since clocks are put back; it fires the first time, 2027-10-31T00:30:00Z.",
            "The fire before is Sun 2027-10-31 02:30 CEST (2027-10-31T00:30:00Z).",
            "The fire after is Mon 2027-11-01 02:30 CET (2027-11-01T01:30:00Z).",
        ],
        [],
    ),
    "manual, without such a run": (
        build_evidence("2026-11-23T09:00:00.123Z"),
        Verdict.UNKNOWN,
        "The history has no run by hand of that moment.",
        ["A time with a fraction of a second is that of a run by hand."],
        [],
    ),
    "upcoming": (
        build_evidence(minutes_late=-180),
        Verdict.UPCOMING,
        "It is still to come, in 3 h.",
        ["The timer stands in EventBridge as the row says."],
        [],
    ),
    "upcoming, but paused": (
        build_evidence(
            minutes_late=-180, install=install(paused=True, changed_by="admin:alice"), suspended=True
        ),
        Verdict.UPCOMING,
        "It is still to come, in 3 h, but will not run as things stand: the tenant is paused.",
        ["The newest change of the install is by admin:alice."],
        [],
    ),
    "upcoming, without a timer": (
        build_evidence(minutes_late=-180, timer=None),
        Verdict.UPCOMING,
        "It is still to come, in 3 h.",
        ["No timer stands, though the row wants one."],
        [SWEEP_ADVICE],
    ),
    "upcoming, change pending": (
        build_evidence(minutes_late=-180, timer=None, pending_since=NOW - timedelta(hours=4)),
        Verdict.UPCOMING,
        "It is still to come, in 3 h.",
        [
            "The row has been pending since 2026-11-23T05:00:00.000Z: "
            "the reconciler brings EventBridge after it each minute."
        ],
        [],
    ),
    "before it was created": (
        build_evidence(created_at=NOW + timedelta(minutes=1), timer_since=NOW + timedelta(minutes=1)),
        Verdict.NOT_SCHEDULED,
        "It did not run: the schedule was created later, Mon 2026-11-23 09:01 UTC.",
        [],
        [],
    ),
    "before the timer was set": (
        build_evidence(timer_since=NOW + timedelta(minutes=1)),
        Verdict.UNKNOWN,
        "It did not run, and what stood then is not kept.",
        [
            "Rule, zone, or whether it fires at all changed later, Mon 2026-11-23 09:01 UTC.",
            "By the rule of today, 0 9 * * * in UTC, it is due.",
        ],
        [],
    ),
    "within the timer's propagation delay": (
        build_evidence(timer_since=NOW - timedelta(seconds=20)),
        Verdict.NOT_SCHEDULED,
        "It did not run: it was set only 20 s before, Mon 2026-11-23 08:59:40 UTC.",
        ["EventBridge may take 1 min until a new timer is in force."],
        [],
    ),
    "older than the history": (
        build_evidence(minutes_late=31 * 24 * 60, created_at=NOW - timedelta(days=90)),
        Verdict.UNKNOWN,
        "It is not known any more: the history is kept for 30 days.",
        ["By the rule of today, 0 9 * * * in UTC, it is due."],
        [],
    ),
}

BY_CURRENT_STATE = {
    "disabled": (
        build_evidence(enabled=False, timer=None),
        Verdict.INACTIVE,
        "It did not run: the schedule was disabled.",
        ["It has been so since Fri 2026-11-13 09:00 UTC, if not for longer."],
        [],
    ),
    "disabled by the platform": (
        build_evidence(
            enabled=False, disabled_reason="Version v2 has no endpoint POST /api/sync", timer=None
        ),
        Verdict.INACTIVE,
        "It did not run, and would not run now: the platform has disabled the schedule: "
        "Version v2 has no endpoint POST /api/sync.",
        [
            "Since when is not kept in its row; it may have been so then.",
            "The newest change of the schedule is by host_api.",
        ],
        [],
    ),
    "its install disabled, its tenant paused": (
        build_evidence(
            install=install(enabled=False, paused=True, changed_by="admin:bob"), suspended=True, timer=None
        ),
        Verdict.INACTIVE,
        "It did not run, and would not run now: the install is disabled; the tenant is paused.",
        [
            "Since when is not kept in its row; it may have been so then.",
            "The newest change of the install is by admin:bob.",
        ],
        [],
    ),
    "in the queue, without history": (
        build_evidence(peek_result=build_peek_result("The function is throttled")),
        Verdict.NOT_RUN,
        "It did not run: it could not be handed over, or failed before the history could be written.",
        [
            "It has been in the dead-letter queue since 2026-11-23T09:05:00.000Z: The function is throttled",
        ],
        [REPLAY_ADVICE],
    ),
    "in the queue, of a rule that has changed since": (
        build_evidence(peek_result=build_peek_result(None), timer_since=NOW + timedelta(minutes=1)),
        Verdict.NOT_RUN,
        "It did not run: it could not be handed over, or failed before the history could be written.",
        ["It has been in the dead-letter queue since 2026-11-23T09:05:00.000Z."],
        [REPLAY_ADVICE],
    ),
    "pending since before": (
        build_evidence(pending_since=NOW - timedelta(hours=1), timer=None),
        Verdict.NOT_RUN,
        "It did not run: EventBridge has not been brought after a change of the row.",
        [
            "The row has been pending since 2026-11-23T08:00:00.000Z: "
            "the reconciler brings EventBridge after it each minute.",
            "No timer stands, though the row wants one.",
        ],
        ["To finish it now: scheduling-admin reconcile"],
    ),
    "no timer": (
        build_evidence(timer=None),
        Verdict.NOT_RUN,
        "It did not run: there is no timer in EventBridge.",
        ["No timer stands, though the row wants one."],
        [SWEEP_ADVICE],
    ),
    "a timer of an older revision": (
        build_evidence(timer_revision=3),
        Verdict.NOT_RUN,
        "It did not run: the timer in EventBridge is not as the row says, and its deliveries are not run.",
        ["Its revision is 1, the row wants 3."],
        [SWEEP_ADVICE],
    ),
    "not delivered yet": (
        build_evidence(minutes_late=5),
        Verdict.OVERDUE,
        "It is awaited: it was due 5 min ago, and has not been delivered yet.",
        ["The timer stands as the row says. A delivery may be late; after 7 h 15 min it counts as missed."],
        [],
    ),
    "never delivered": (
        build_evidence(minutes_late=440),
        Verdict.NOT_RUN,
        "It did not run: it was due, the timer stands as the row says, and the history has nothing.",
        [
            "Either EventBridge has not delivered it, or the function ended before it could begin; "
            "the daily sweep records such an occurrence as missed.",
            "It is not in the dead-letter queue.",
        ],
        [
            "The log /aws/lambda/stack-execute has a line `occurrence` for each delivery: "
            "look there for 2026-11-23T09:00:00Z."
        ],
    ),
}

SITUATIONS = FROM_HISTORY | BY_RULE | BY_CURRENT_STATE


@pytest.mark.parametrize(
    ("evidence", "verdict", "summary", "reasons", "advice"), SITUATIONS.values(), ids=SITUATIONS.keys()
)
def test_each_situation_is_explained(
    evidence: Evidence, verdict: Verdict, summary: str, reasons: list[str], advice: list[str]
) -> None:
    explanation = explain_occurrence(evidence)
    assert (explanation.verdict, explanation.summary) == (verdict, summary)
    assert (list(explanation.reasons), list(explanation.advice)) == (reasons, advice)


def test_every_verdict_has_a_situation() -> None:
    assert {situation[1] for situation in SITUATIONS.values()} == set(Verdict)


@pytest.mark.parametrize(
    ("moment", "verdict"),
    [
        (NOW - timedelta(days=30), Verdict.NOT_RUN),
        (NOW - timedelta(days=30, minutes=1), Verdict.UNKNOWN),
    ],
)
def test_history_retention_ends_at_the_configured_days(moment: datetime, verdict: Verdict) -> None:
    evidence = build_evidence(
        created_at=NOW - timedelta(days=90), timer_since=NOW - timedelta(days=90), cron="* * * * *"
    )
    occurrence = parse_occurrence_time(moment.isoformat(), "UTC")
    timer = replace(TIMER, expression="cron(* * * * ? *)")
    assert (
        explain_occurrence(replace(evidence, occurrence=occurrence, now=NOW, timer=timer)).verdict is verdict
    )
