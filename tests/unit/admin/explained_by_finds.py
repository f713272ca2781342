"""The situations of an occurrence that what the sweep has found about the timer explains."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from scheduling.domain.audit.changes import KeptChange
from scheduling.domain.audit.finds import TimerFind, change_from_find
from scheduling.domain.runs import RunStatus
from scheduling.domain.sweeps import TimerDifference

from scheduling_admin.explain.evidence import Evidence, Verdict
from tests.unit.admin.builders import SWEEP_ADVICE, TIMER, build_change, build_evidence, build_run
from tests.unit.builders import INSTALL_ID, NOW, SCHEDULE_ID

MISSING = TimerDifference("timer", False, True)
CHANGED = TimerDifference("expression", "cron(0 3 1 1 ? *)", "cron(0 9 * * ? *)")
HARMLESS = TimerDifference("spread", 5, 0)
FOUND = "on Mon 2026-11-23 09:30 UTC"
IS_MISSING = f"It did not run: its timer was missing when the sweep checked it next, {FOUND}."
IS_CHANGED = f"It did not run: its timer was changed when the sweep checked it next, {FOUND}."
WAS_MISSING = "EventBridge had no timer, but the schedule should have had one."
WAS_CHANGED = "The timer's expression was cron(0 3 1 1 ? *) instead of cron(0 9 * * ? *)."
UNKNOWN_SINCE = "Since when is not known."
MAY_COME = "What EventBridge sent before is in the queue, and still comes."
REPAIRED = "The sweep repaired it then."
NO_DEAD_LETTER = "It is not in the dead-letter queue."
NO_RUN = "It did not run: it was due and the timer is in sync, but the history has no run."
NO_RUN_REASON = (
    "Either EventBridge did not deliver it, or the function ended before it recorded the run; "
    "the daily sweep records such an occurrence as missed."
)
LOG_ADVICE = (
    "The log group /aws/lambda/stack-execute has a line `occurrence` for each delivery: "
    "search it for 2026-11-23T09:00:00Z."
)
LATE = 74 * 60
"""Minutes after which no delivery of the occurrence comes any more."""


def build_find(minutes: float, *differences: TimerDifference) -> KeptChange:
    """Build what the sweep found so many minutes after the occurrence."""
    return change_from_find(
        TimerFind(
            install_id=INSTALL_ID,
            schedule_id=SCHEDULE_ID,
            time=NOW + timedelta(minutes=minutes),
            differences=differences,
        )
    )


def build_situation(
    *changes: KeptChange, minutes_late: float = LATE, last_delivery: str | None = None
) -> Evidence:
    return build_evidence(changes=changes, minutes_late=minutes_late, last_delivery=last_delivery)


FINDS_SITUATIONS: dict[str, tuple[Evidence, Verdict, str, Sequence[str], Sequence[str]]] = {
    "found missing": (
        build_situation(build_find(30, MISSING), last_delivery="2026-11-22T09:00:00Z"),
        Verdict.NOT_RUN,
        IS_MISSING,
        [
            WAS_MISSING,
            "Since when is not known; the last one before it in the history is that of 2026-11-22T09:00:00Z.",
            REPAIRED,
            NO_DEAD_LETTER,
        ],
        [],
    ),
    "found missing a moment ago, so that it may still come": (
        build_situation(build_find(30, MISSING), minutes_late=40),
        Verdict.NOT_RUN,
        IS_MISSING,
        [WAS_MISSING, UNKNOWN_SINCE, MAY_COME, REPAIRED, NO_DEAD_LETTER],
        [],
    ),
    "found missing, and created anew by the sweep": (
        replace(
            build_situation(build_find(30, MISSING)),
            timer=replace(TIMER, created_at=NOW + timedelta(minutes=30)),
        ),
        Verdict.NOT_RUN,
        IS_MISSING,
        [WAS_MISSING, UNKNOWN_SINCE, REPAIRED, NO_DEAD_LETTER],
        [],
    ),
    "found missing, and not repaired yet": (
        build_evidence(
            changes=(build_find(30, MISSING),),
            minutes_late=LATE,
            pending_since=NOW + timedelta(minutes=30, seconds=0.4),
            timer=None,
        ),
        Verdict.NOT_RUN,
        IS_MISSING,
        [
            WAS_MISSING,
            UNKNOWN_SINCE,
            "The sweep began to repair it; EventBridge has not confirmed that yet.",
            NO_DEAD_LETTER,
        ],
        [],
    ),
    "found changed": (
        build_situation(build_find(30, CHANGED)),
        Verdict.NOT_RUN,
        IS_CHANGED,
        [WAS_CHANGED, UNKNOWN_SINCE, REPAIRED, NO_DEAD_LETTER],
        [],
    ),
    "found changed after it has delivered": (
        build_situation(build_find(30, CHANGED), last_delivery="2026-11-23T09:15:00Z"),
        Verdict.NOT_RUN,
        IS_CHANGED,
        [
            WAS_CHANGED,
            "The history has the occurrence of 2026-11-23T09:15:00Z, so the timer may have been changed only then.",
            REPAIRED,
            NO_DEAD_LETTER,
        ],
        [],
    ),
    "found missing, and the rule changed since": (
        build_evidence(
            changes=(
                build_change(-30, None, {"enabled": True, "cron": "0 9 * * *", "timezone": "UTC"}),
                build_find(30, MISSING),
                build_change(60, {"cron": "0 9 * * *"}, {"cron": "5 9 * * *"}),
            ),
            cron="5 9 * * *",
            timer_since=NOW + timedelta(minutes=60),
            minutes_late=LATE,
        ),
        Verdict.NOT_RUN,
        IS_MISSING,
        [WAS_MISSING, UNKNOWN_SINCE, REPAIRED, NO_DEAD_LETTER],
        [],
    ),
    "recorded as missed": (
        build_evidence(
            run=build_run(status=RunStatus.MISSED, attempt=0, started_at=NOW + timedelta(days=4)),
            changes=(build_find(30, MISSING),),
            minutes_late=5 * 24 * 60,
        ),
        Verdict.MISSED,
        "It was missed: EventBridge did not deliver it.",
        [
            "The sweep recorded this at 2026-11-27T09:00:00.000Z. If the occurrence is delivered later, it still runs.",
            f"The sweep checked its timer next {FOUND}.",
            WAS_MISSING,
            UNKNOWN_SINCE,
            REPAIRED,
            NO_DEAD_LETTER,
        ],
        [],
    ),
    "found missing, but it has delivered a later one": (
        build_situation(build_find(30, MISSING), last_delivery="2026-11-23T09:15:00Z"),
        Verdict.NOT_RUN,
        NO_RUN,
        [NO_RUN_REASON, NO_DEAD_LETTER],
        [LOG_ADVICE],
    ),
    "created anew, but the one before has delivered a later one": (
        replace(
            build_situation(last_delivery="2026-11-23T09:15:00Z"),
            timer=replace(TIMER, created_at=NOW + timedelta(minutes=30)),
        ),
        Verdict.NOT_RUN,
        NO_RUN,
        [NO_RUN_REASON, NO_DEAD_LETTER],
        [LOG_ADVICE],
    ),
    "found missing, but a change has written the timer in between": (
        build_situation(
            build_change(10, {"timezone": "CET"}, {"timezone": "UTC"}, of_install=True),
            build_find(30, MISSING),
        ),
        Verdict.NOT_RUN,
        NO_RUN,
        [NO_RUN_REASON, NO_DEAD_LETTER],
        [LOG_ADVICE],
    ),
    "found missing only after it was found with another window": (
        build_situation(build_find(20, HARMLESS), build_find(30, MISSING)),
        Verdict.NOT_RUN,
        NO_RUN,
        [NO_RUN_REASON, NO_DEAD_LETTER],
        [LOG_ADVICE],
    ),
    "found missing before it": (
        build_situation(build_find(-30, MISSING)),
        Verdict.NOT_RUN,
        NO_RUN,
        [NO_RUN_REASON, NO_DEAD_LETTER],
        [LOG_ADVICE],
    ),
    "not due by the rule": (
        build_evidence(
            "2026-11-23T09:10:00Z", changes=(build_find(30, MISSING),), minutes_late=LATE, cron="0 * * * *"
        ),
        Verdict.NOT_SCHEDULED,
        "It is not scheduled: 0 * * * * in UTC does not fire on Mon 2026-11-23 09:10 UTC.",
        [
            "The previous fire is Mon 2026-11-23 09:00 UTC.",
            "The next fire is Mon 2026-11-23 10:00 UTC.",
        ],
        [],
    ),
    "out of sync again": (
        replace(
            build_situation(build_find(-30, CHANGED)),
            timer=replace(TIMER, expression="cron(5 9 * * ? *)"),
        ),
        Verdict.NOT_RUN,
        "It did not run: the timer in EventBridge is out of sync.",
        [
            "The timer's expression is cron(5 9 * * ? *) instead of cron(0 9 * * ? *).",
            "The sweep had repaired it on Mon 2026-11-23 08:30 UTC.",
        ],
        [SWEEP_ADVICE],
    ),
}
