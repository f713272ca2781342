"""The situations of an occurrence without a run that the rule, its time zone or its dates explain."""

from datetime import timedelta
from typing import Any

from scheduling_admin.explain.evidence import Verdict
from tests.unit.admin.builders import (
    REPLAY_ADVICE,
    SWEEP_ADVICE,
    build_evidence,
    build_peek_result,
    build_queue,
)
from tests.unit.builders import NOW, install

BERLIN_NIGHT: dict[str, Any] = {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}
RULE_SITUATIONS = {
    "not scheduled": (
        build_evidence("2026-11-23T09:05:00Z"),
        Verdict.NOT_SCHEDULED,
        "It is not scheduled: 0 9 * * * in UTC does not fire on Mon 2026-11-23 09:05 UTC.",
        ["The previous fire is Mon 2026-11-23 09:00 UTC.", "The next fire is Tue 2026-11-24 09:00 UTC."],
        [],
    ),
    "not scheduled, by seconds": (
        build_evidence("2026-11-23T09:00:01Z"),
        Verdict.NOT_SCHEDULED,
        "It is not scheduled: 0 9 * * * in UTC does not fire on Mon 2026-11-23 09:00:01 UTC.",
        ["The previous fire is Mon 2026-11-23 09:00 UTC.", "The next fire is Tue 2026-11-24 09:00 UTC."],
        [],
    ),
    "the timezone was ignored": (
        build_evidence("2026-11-23T09:00:00Z", timezone="Europe/Berlin"),
        Verdict.NOT_SCHEDULED,
        "It is not scheduled: 0 9 * * * in Europe/Berlin does not fire on Mon 2026-11-23 10:00 CET "
        "(2026-11-23T09:00:00Z).",
        [
            "The previous fire is Mon 2026-11-23 09:00 CET (2026-11-23T08:00:00Z).",
            "The next fire is Tue 2026-11-24 09:00 CET (2026-11-24T08:00:00Z).",
        ],
        [],
    ),
    "a local time that does not exist": (
        build_evidence("2027-03-28T02:30", **BERLIN_NIGHT),
        Verdict.NOT_SCHEDULED,
        "It is not scheduled: Sun 2027-03-28 02:30 does not exist in Europe/Berlin, where clocks go forward past it.",
        [
            "The previous fire is Sat 2027-03-27 02:30 CET (2027-03-27T01:30:00Z).",
            "The next fire is Mon 2027-03-29 02:30 CEST (2027-03-29T00:30:00Z).",
        ],
        [],
    ),
    "the hour after one that does not exist": (
        build_evidence("2027-03-28T01:30:00Z", **BERLIN_NIGHT),
        Verdict.NOT_SCHEDULED,
        "It is not scheduled: 30 2 * * * in Europe/Berlin does not fire on Sun 2027-03-28 03:30 CEST "
        "(2027-03-28T01:30:00Z).",
        [
            "The previous fire is Sat 2027-03-27 02:30 CET (2027-03-27T01:30:00Z).",
            "The next fire is Mon 2027-03-29 02:30 CEST (2027-03-29T00:30:00Z).",
            "Sun 2027-03-28 02:30 does not exist in Europe/Berlin, where clocks go forward past it.",
        ],
        [],
    ),
    "the second of a local time that occurs twice": (
        build_evidence("2027-10-31T01:30:00Z", **BERLIN_NIGHT),
        Verdict.NOT_SCHEDULED,
        "It is not scheduled: 30 2 * * * in Europe/Berlin does not fire on Sun 2027-10-31 02:30 CET "
        "(2027-10-31T01:30:00Z).",
        [
            "This local time occurs twice, because clocks go back; the schedule fires at the first, "
            "2027-10-31T00:30:00Z.",
            "The previous fire is Sun 2027-10-31 02:30 CEST (2027-10-31T00:30:00Z).",
            "The next fire is Mon 2027-11-01 02:30 CET (2027-11-01T01:30:00Z).",
        ],
        [],
    ),
    "manual, without such a run": (
        build_evidence("2026-11-23T09:00:00.123Z"),
        Verdict.UNKNOWN,
        "The history has no manual run at that time.",
        ["Only manual runs have a time with a fraction of a second."],
        [],
    ),
    "manual, just requested": (
        build_evidence("2026-11-23T09:00:00.123Z", queue=build_queue(3)),
        Verdict.UNKNOWN,
        "The history has no manual run at that time.",
        [
            "Only manual runs have a time with a fraction of a second.",
            "One that was requested is in the history once the queue has delivered it.",
            "The queue of occurrences has 3 ready, 0 running, 0 delayed.",
        ],
        ["Is OccurrenceMapping enabled, and may the function `execute` run?"],
    ),
    "manual, in the dead-letter queue": (
        build_evidence(
            "2026-11-23T09:00:00.123Z",
            peek_result=build_peek_result("DynamoDB", scheduled_time="2026-11-23T09:00:00.123Z"),
        ),
        Verdict.NOT_RUN,
        "It did not run: it could not be delivered, or failed before its run was recorded.",
        ["It has been in the dead-letter queue since 2026-11-23T09:05:00.000Z: DynamoDB"],
        [REPLAY_ADVICE],
    ),
    "upcoming, but not granted": (
        build_evidence(
            minutes_late=-180, install=install(granted_capabilities=frozenset(), changed_by="admin:alice")
        ),
        Verdict.UPCOMING,
        "It is upcoming, in 3 h, but will not run in the current state: the install is not granted "
        "cap:scheduler.manage.",
        ["The install was last changed by alice."],
        [],
    ),
    "upcoming": (
        build_evidence(minutes_late=-180),
        Verdict.UPCOMING,
        "It is upcoming, in 3 h.",
        ["The timer in EventBridge is in sync."],
        [],
    ),
    "upcoming, but paused": (
        build_evidence(
            minutes_late=-180, install=install(paused=True, changed_by="admin:alice"), suspended=True
        ),
        Verdict.UPCOMING,
        "It is upcoming, in 3 h, but will not run in the current state: the tenant is paused.",
        ["The install was last changed by alice."],
        [],
    ),
    "upcoming, without a timer": (
        build_evidence(minutes_late=-180, timer=None),
        Verdict.UPCOMING,
        "It is upcoming, in 3 h.",
        ["EventBridge has no timer, but the schedule should have one."],
        [SWEEP_ADVICE],
    ),
    "upcoming, change pending": (
        build_evidence(minutes_late=-180, timer=None, pending_since=NOW - timedelta(hours=4)),
        Verdict.UPCOMING,
        "It is upcoming, in 3 h.",
        [
            "A change has been pending since 2026-11-23T05:00:00.000Z; "
            "the reconciler retries every minute to apply it to EventBridge."
        ],
        [],
    ),
    "before it was created": (
        build_evidence(created_at=NOW + timedelta(minutes=1), timer_since=NOW + timedelta(minutes=1)),
        Verdict.NOT_SCHEDULED,
        "It did not run: the schedule was created later, on Mon 2026-11-23 09:01 UTC.",
        [],
        [],
    ),
    "before the timer was set": (
        build_evidence(timer_since=NOW + timedelta(minutes=1)),
        Verdict.UNKNOWN,
        "It did not run, and the state of the schedule at that time is not recorded.",
        [
            "The rule, the time zone or the enabled state changed later, on Mon 2026-11-23 09:01 UTC.",
            "By the current rule, 0 9 * * * in UTC, it is scheduled.",
        ],
        [],
    ),
    "within the timer's propagation delay": (
        build_evidence(timer_since=NOW - timedelta(seconds=20)),
        Verdict.NOT_SCHEDULED,
        "It did not run: the timer was set only 20 s before, on Mon 2026-11-23 08:59:40 UTC.",
        ["A new timer may take 1 min to take effect in EventBridge."],
        [],
    ),
    "older than the history": (
        build_evidence(minutes_late=31 * 24 * 60, created_at=NOW - timedelta(days=90)),
        Verdict.UNKNOWN,
        "The result is no longer known: the history is kept for 30 days.",
        ["By the current rule, 0 9 * * * in UTC, it is scheduled."],
        [],
    ),
}
