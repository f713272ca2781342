"""The situations of an occurrence without a run that the current state explains."""

from dataclasses import replace
from datetime import timedelta

from scheduling.domain.runs import RunStatus

from scheduling_admin.explain.evidence import Verdict
from tests.unit.admin.builders import (
    REPLAY_ADVICE,
    REQUEST,
    SWEEP_ADVICE,
    TIMER,
    build_evidence,
    build_peek_result,
    build_queue,
    build_run,
)
from tests.unit.admin.explained_by_history import ATTEMPT_START, RETRYABLE_FAILURE
from tests.unit.builders import NOW, install

WAITING_RUN = build_run(
    status=RunStatus.WAITING,
    attempt=0,
    duration_ms=None,
    http_status=None,
    error="The runner answered 503",
    wait_token="token",
    not_before=NOW + timedelta(minutes=10),
)
ATTEMPT_503 = f"Attempt 1 {ATTEMPT_START}, took 812 ms, and got status 503 from the extension."

STATE_SITUATIONS = {
    "disabled": (
        build_evidence(enabled=False, timer=None),
        Verdict.INACTIVE,
        "It did not run: the schedule was disabled.",
        ["It has been disabled since at least Fri 2026-11-13 09:00 UTC."],
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
            "The table does not record since when; this may already have been the case at that time.",
            "The schedule was last changed by the extension.",
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
            "The table does not record since when; this may already have been the case at that time.",
            "The install was last changed by bob.",
        ],
        [],
    ),
    "in the queue, without history": (
        build_evidence(peek_result=build_peek_result("The function is throttled")),
        Verdict.NOT_RUN,
        "It did not run: it could not be delivered, or failed before its run was recorded.",
        [
            "It has been in the dead-letter queue since 2026-11-23T09:05:00.000Z: The function is throttled",
        ],
        [REPLAY_ADVICE],
    ),
    "in the queue, of a rule that has changed since": (
        build_evidence(peek_result=build_peek_result(None), timer_since=NOW + timedelta(minutes=1)),
        Verdict.NOT_RUN,
        "It did not run: it could not be delivered, or failed before its run was recorded.",
        ["It has been in the dead-letter queue since 2026-11-23T09:05:00.000Z."],
        [REPLAY_ADVICE],
    ),
    "pending since before": (
        build_evidence(pending_since=NOW - timedelta(hours=1), timer=None),
        Verdict.NOT_RUN,
        "It did not run: a change of the schedule has not been applied to EventBridge.",
        [
            "A change has been pending since 2026-11-23T08:00:00.000Z; "
            "the reconciler retries every minute to apply it to EventBridge.",
            "EventBridge has no timer, but the schedule should have one.",
        ],
        ["To apply it now: scheduling-admin reconcile"],
    ),
    "no timer": (
        build_evidence(timer=None),
        Verdict.NOT_RUN,
        "It did not run: EventBridge has no timer for the schedule.",
        [
            "EventBridge has no timer, but the schedule should have one.",
            "Since when is not known: what EventBridge sent before is in the queue, and still comes.",
        ],
        [SWEEP_ADVICE],
    ),
    "no timer for long": (
        build_evidence(timer=None, minutes_late=74 * 60),
        Verdict.NOT_RUN,
        "It did not run: EventBridge has no timer for the schedule.",
        ["EventBridge has no timer, but the schedule should have one.", "Since when is not known."],
        [SWEEP_ADVICE],
    ),
    "a timer that was gone and is there again": (
        build_evidence(timer=replace(TIMER, created_at=NOW + timedelta(minutes=10))),
        Verdict.NOT_RUN,
        "It did not run, and cannot come any more: its timer was gone at that time.",
        [
            "EventBridge has its timer since Mon 2026-11-23 09:10 UTC only: the one before was deleted, or never "
            "created.",
            "It is not in the dead-letter queue.",
        ],
        [],
    ),
    "a timer whose creation the clock does not know yet": (
        build_evidence(minutes_late=5, timer=replace(TIMER, created_at=NOW + timedelta(minutes=10))),
        Verdict.OVERDUE,
        "It is overdue: it was due 5 min ago and has not been delivered yet.",
        ["The timer is in sync.", "A delivery may be late; after 3 d 1 h it counts as missed."],
        [],
    ),
    "a timer by another rule": (
        build_evidence(timer=replace(TIMER, expression="cron(5 9 * * ? *)")),
        Verdict.NOT_RUN,
        "It did not run: the timer in EventBridge is out of sync.",
        ["The timer's expression is cron(5 9 * * ? *) instead of cron(0 9 * * ? *)."],
        [SWEEP_ADVICE],
    ),
    "a timer of an older revision, which delivers": (
        build_evidence(timer_revision=3, minutes_late=5),
        Verdict.OVERDUE,
        "It is overdue: it was due 5 min ago and has not been delivered yet.",
        [
            "The timer's revision is 1 instead of 3. It delivers all the same.",
            "A delivery may be late; after 3 d 1 h it counts as missed.",
        ],
        [],
    ),
    "within its window": (
        build_evidence(minutes_late=5, spread_minutes=15, timer=replace(TIMER, spread_minutes=15)),
        Verdict.UPCOMING,
        "It has not been delivered yet: EventBridge delivers it at some time within 15 min after its time.",
        ["The timer in EventBridge is in sync."],
        [],
    ),
    "not delivered in its window": (
        build_evidence(minutes_late=20, spread_minutes=15, timer=replace(TIMER, spread_minutes=15)),
        Verdict.OVERDUE,
        "It is overdue: its window of 15 min ended 5 min ago, and it has not been delivered yet.",
        ["The timer is in sync.", "A delivery may be late; after 3 d 1 h it counts as missed."],
        [],
    ),
    "with another window": (
        build_evidence(minutes_late=20, spread_minutes=15),
        Verdict.OVERDUE,
        "It is overdue: its window of 15 min ended 5 min ago, and it has not been delivered yet.",
        [
            "The timer's window is 0 minutes instead of 15. It delivers all the same.",
            "A delivery may be late; after 3 d 1 h it counts as missed.",
        ],
        [],
    ),
    "not delivered yet": (
        build_evidence(minutes_late=5),
        Verdict.OVERDUE,
        "It is overdue: it was due 5 min ago and has not been delivered yet.",
        ["The timer is in sync.", "A delivery may be late; after 3 d 1 h it counts as missed."],
        [],
    ),
    "in a queue from which nobody takes messages": (
        build_evidence(minutes_late=45, queue=build_queue(7, age=timedelta(minutes=40))),
        Verdict.OVERDUE,
        "It is overdue: it was due 45 min ago and has not been delivered yet.",
        [
            "The timer is in sync.",
            "The queue of occurrences has 7 ready, 0 running, 0 delayed; the oldest 40 min old.",
            "A delivery may be late; after 3 d 1 h it counts as missed.",
        ],
        ["Is OccurrenceMapping enabled, and may the function `execute` run?"],
    ),
    "in a queue from which nobody takes messages, of an unknown age": (
        build_evidence(queue=build_queue(7, delayed=2)),
        Verdict.OVERDUE,
        "It is overdue: it was due 20 min ago and has not been delivered yet.",
        [
            "The timer is in sync.",
            "The queue of occurrences has 7 ready, 0 running, 2 delayed.",
            "A delivery may be late; after 3 d 1 h it counts as missed.",
        ],
        ["Is OccurrenceMapping enabled, and may the function `execute` run?"],
    ),
    "in a queue that is worked off": (
        build_evidence(queue=build_queue(900, running=5, age=timedelta(minutes=20))),
        Verdict.OVERDUE,
        "It is overdue: it was due 20 min ago and has not been delivered yet.",
        [
            "The timer is in sync.",
            "The queue of occurrences has 900 ready, 5 running, 0 delayed; the oldest 20 min old.",
            "A delivery may be late; after 3 d 1 h it counts as missed.",
        ],
        [],
    ),
    "with an empty queue": (
        build_evidence(queue=build_queue(age=timedelta(hours=1))),
        Verdict.OVERDUE,
        "It is overdue: it was due 20 min ago and has not been delivered yet.",
        [
            "The timer is in sync.",
            "The queue of occurrences is empty: EventBridge has not sent this one yet, or it was lost.",
            "A delivery may be late; after 3 d 1 h it counts as missed.",
        ],
        [],
    ),
    "never delivered": (
        build_evidence(minutes_late=74 * 60),
        Verdict.NOT_RUN,
        "It did not run: it was due and the timer is in sync, but the history has no run.",
        [
            "Either EventBridge did not deliver it, or the function ended before it recorded the run; "
            "the daily sweep records such an occurrence as missed.",
            "It is not in the dead-letter queue.",
        ],
        [
            "The log group /aws/lambda/stack-execute has a line `occurrence` for each delivery: "
            "search it for 2026-11-23T09:00:00Z."
        ],
    ),
    "waiting for capacity, in a queue that does not deliver it": (
        build_evidence(run=WAITING_RUN, queue=build_queue(7)),
        Verdict.WAITING,
        "It is waiting: the runner answered 503.",
        [
            "That is no attempt. It waits for up to MaxWaitHours, and is a dead letter then.",
            "It was to be tried again at 2026-11-23T09:10:00.000Z, and has not been delivered yet.",
            "The queue of occurrences has 7 ready, 0 running, 0 delayed.",
            REQUEST,
            "It is not in the dead-letter queue.",
        ],
        ["Is OccurrenceMapping enabled, and may the function `execute` run?"],
    ),
    "waiting for capacity, with an empty queue": (
        build_evidence(run=WAITING_RUN, queue=build_queue()),
        Verdict.WAITING,
        "It is waiting: the runner answered 503.",
        [
            "That is no attempt. It waits for up to MaxWaitHours, and is a dead letter then.",
            "It was to be tried again at 2026-11-23T09:10:00.000Z, and has not been delivered yet.",
            "The queue of occurrences is empty: its message was lost, or is under way.",
            REQUEST,
            "It is not in the dead-letter queue.",
        ],
        [],
    ),
    "waiting for capacity, of a tenant that is paused now": (
        build_evidence(run=WAITING_RUN, minutes_late=10, install=install(paused=True), timer=None),
        Verdict.WAITING,
        "It is waiting: the runner answered 503.",
        [
            "It is skipped when it is tried again: the tenant is paused.",
            "It is tried again at 2026-11-23T09:10:00.000Z.",
            REQUEST,
            "It is not in the dead-letter queue.",
        ],
        [],
    ),
    "no further attempt, in a queue that does not deliver it": (
        build_evidence(
            run=build_run(**RETRYABLE_FAILURE, not_before=NOW + timedelta(minutes=1)),
            queue=build_queue(7),
        ),
        Verdict.FAILED,
        "It failed at attempt 1 of 3, and no further attempt was made.",
        [
            ATTEMPT_503,
            REQUEST,
            "Error: The extension answered 503",
            "It was to be tried again at 2026-11-23T09:01:00.000Z, and has not been delivered yet.",
            "The queue of occurrences has 7 ready, 0 running, 0 delayed.",
            "It is not in the dead-letter queue.",
        ],
        ["Is OccurrenceMapping enabled, and may the function `execute` run?"],
    ),
}
