"""The situations of an occurrence that the kept changes explain."""

from datetime import timedelta

from scheduling.domain.install import SCHEDULER_MANAGE
from scheduling.domain.runs import RunStatus, SkipReason

from scheduling_admin.explain.evidence import Evidence, Verdict
from tests.unit.admin.builders import build_change, build_evidence, build_run
from tests.unit.builders import NOW, install

BEFORE, AFTER = "Mon 2026-11-23 08:30 UTC (by support/alice)", "Mon 2026-11-23 09:10 UTC (by support/alice)"
CREATED = {"enabled": True, "cron": "0 9 * * *", "timezone": "UTC"}
REVOKED, GRANTED = {"grantedCapabilities": ["cap:log.emit"]}, {"grantedCapabilities": [SCHEDULER_MANAGE]}
OFF, ON = {"enabled": False}, {"enabled": True}

CHANGES_SITUATIONS: dict[str, tuple[Evidence, Verdict, str, list[str], list[str]]] = {
    "disabled, and enabled since": (
        build_evidence(
            changes=(build_change(-30, ON, OFF), build_change(10, OFF, ON)),
            timer_since=NOW + timedelta(minutes=10),
        ),
        Verdict.INACTIVE,
        "It did not run: the schedule was disabled.",
        [f"The schedule was disabled from {BEFORE} to {AFTER}."],
        [],
    ),
    "disabled since then": (
        build_evidence(changes=(build_change(-30, ON, OFF),), enabled=False, timer=None),
        Verdict.INACTIVE,
        "It did not run: the schedule was disabled.",
        [f"The schedule was disabled, since {BEFORE}."],
        [],
    ),
    "paused by the service after failures": (
        build_evidence(
            changes=(build_change(-30, ON, {**OFF, "disabledReason": "paused after failures"}),),
            enabled=False,
            disabled_reason="paused after failures",
            timer=None,
        ),
        Verdict.INACTIVE,
        "It did not run: the schedule was disabled.",
        [f"The schedule was disabled (paused after failures), since {BEFORE}."],
        [],
    ),
    "paused by the service before what is kept": (
        build_evidence(
            changes=(build_change(-30, {"name": "a"}, {"name": "b"}),),
            enabled=False,
            disabled_reason="paused after failures",
            timer=None,
        ),
        Verdict.INACTIVE,
        "It did not run: the schedule was disabled.",
        ["The schedule was disabled (paused after failures)."],
        [],
    ),
    "paused by the service, and enabled since": (
        build_evidence(
            changes=(
                build_change(-30, ON, {**OFF, "disabledReason": "paused after failures"}),
                build_change(10, {**OFF, "disabledReason": "paused after failures"}, ON),
            ),
            timer_since=NOW + timedelta(minutes=10),
        ),
        Verdict.INACTIVE,
        "It did not run: the schedule was disabled.",
        [f"The schedule was disabled (paused after failures) from {BEFORE} to {AFTER}."],
        [],
    ),
    "upcoming, but paused": (
        build_evidence(
            minutes_late=-20,
            changes=(build_change(-30, {"paused": False}, {"paused": True}, of_install=True),),
            install=install(paused=True, changed_by="admin:bob"),
            suspended=True,
            timer=None,
        ),
        Verdict.UPCOMING,
        "It is upcoming, in 20 min, but will not run in the current state: the tenant is paused.",
        [f"The tenant was paused, since {BEFORE}."],
        [],
    ),
    "another rule since shortly before": (
        build_evidence(
            cron="15 6 * * *",
            changes=(build_change(-30, {"cron": "0 9 * * *"}, {"cron": "15 6 * * *"}),),
            timer_since=NOW - timedelta(minutes=30),
        ),
        Verdict.NOT_SCHEDULED,
        "It is not scheduled: 15 6 * * * in UTC does not fire on Mon 2026-11-23 09:00 UTC.",
        [
            f"The rule was 0 9 * * * in UTC, which has that time, until {BEFORE}.",
            "The previous fire is Mon 2026-11-23 06:15 UTC.",
            "The next fire is Tue 2026-11-24 06:15 UTC.",
        ],
        [],
    ),
    "another rule since shortly before, which did not have it either": (
        build_evidence(
            cron="15 6 * * *",
            changes=(build_change(-30, {"cron": "5 9 * * *"}, {"cron": "15 6 * * *"}),),
            timer_since=NOW - timedelta(minutes=30),
        ),
        Verdict.NOT_SCHEDULED,
        "It is not scheduled: 15 6 * * * in UTC does not fire on Mon 2026-11-23 09:00 UTC.",
        ["The previous fire is Mon 2026-11-23 06:15 UTC.", "The next fire is Tue 2026-11-24 06:15 UTC."],
        [],
    ),
    "created right before, and changed since": (
        build_evidence(
            created_at=NOW - timedelta(seconds=20),
            cron="15 6 * * *",
            changes=(
                build_change(-1 / 3, None, {"cron": "0 9 * * *", "timezone": "UTC", "enabled": True}),
                build_change(10, {"cron": "0 9 * * *"}, {"cron": "15 6 * * *"}),
            ),
            timer_since=NOW + timedelta(minutes=10),
        ),
        Verdict.NOT_SCHEDULED,
        "It did not run: the timer was set only 20 s before, on Mon 2026-11-23 08:59:40 UTC.",
        ["A new timer may take 1 min to take effect in EventBridge."],
        [],
    ),
    "enabled right before, and changed since": (
        build_evidence(
            changes=(
                build_change(-0.5, OFF, ON),
                build_change(10, {"cron": "0 9 * * *"}, {"cron": "15 6 * * *"}),
            ),
            cron="15 6 * * *",
            timer_since=NOW + timedelta(minutes=10),
        ),
        Verdict.NOT_SCHEDULED,
        "It did not run: the timer was set only 30 s before, on Mon 2026-11-23 08:59:30 UTC.",
        ["A new timer may take 1 min to take effect in EventBridge."],
        [],
    ),
    "disabled before what is kept, and enabled since": (
        build_evidence(changes=(build_change(10, OFF, ON),), timer_since=NOW + timedelta(minutes=10)),
        Verdict.INACTIVE,
        "It did not run: the schedule was disabled.",
        [f"The schedule was disabled until {AFTER}."],
        [],
    ),
    "its install disabled and its tenant paused, and resumed since": (
        build_evidence(
            changes=(
                build_change(-40, ON, OFF, of_install=True),
                build_change(-30, {"paused": False}, {"paused": True}, of_install=True),
                build_change(10, OFF, ON, of_install=True),
                build_change(10, {"paused": True}, {"paused": False}, of_install=True),
            ),
            timer_since=NOW + timedelta(minutes=10),
        ),
        Verdict.INACTIVE,
        "It did not run: the install was disabled and the tenant was paused.",
        [
            f"The install was disabled from Mon 2026-11-23 08:20 UTC (by support/alice) to {AFTER}.",
            f"The tenant was paused from {BEFORE} to {AFTER}.",
        ],
        [],
    ),
    "a disabled schedule of an enabled install": (
        build_evidence(
            changes=(build_change(-30, None, ON, of_install=True), build_change(-30, None, OFF)),
            enabled=False,
            timer=None,
        ),
        Verdict.INACTIVE,
        "It did not run: the schedule was disabled.",
        [f"The schedule was disabled, since {BEFORE}."],
        [],
    ),
    "disabled after it was due": (
        build_evidence(
            changes=(build_change(-30, None, CREATED), build_change(10, ON, OFF)),
            enabled=False,
            timer=None,
            timer_since=NOW + timedelta(minutes=10),
        ),
        Verdict.NOT_RUN,
        "It did not run, although it was due by the rule of that time, and nothing kept it from firing.",
        [
            "The rule was 0 9 * * * in UTC; the timer was set anew on Mon 2026-11-23 09:10 UTC.",
            "It is not in the dead-letter queue.",
        ],
        [],
    ),
    "another rule, which did not have it": (
        build_evidence(
            changes=(
                build_change(-30, None, {**CREATED, "cron": "5 9 * * *"}),
                build_change(10, {"cron": "5 9 * * *"}, {"cron": "0 9 * * *"}),
            ),
            timer_since=NOW + timedelta(minutes=10),
        ),
        Verdict.NOT_SCHEDULED,
        "It was not scheduled: the rule was 5 9 * * * in UTC then.",
        [f"The rule or its time zone was changed on {AFTER}."],
        [],
    ),
    "skipped while the tenant was paused": (
        build_evidence(
            run=build_run(
                status=RunStatus.SKIPPED,
                attempt=0,
                skip_reason=SkipReason.DISABLED,
                error="The schedule was disabled, its install, or its tenant paused",
            ),
            changes=(
                build_change(-30, {"paused": False}, {"paused": True}, of_install=True),
                build_change(10, {"paused": True}, {"paused": False}, of_install=True),
            ),
        ),
        Verdict.SKIPPED,
        "It was skipped: the schedule was disabled, its install, or its tenant paused.",
        [f"The tenant was paused from {BEFORE} to {AFTER}."],
        [],
    ),
    "skipped for a revoked capability": (
        build_evidence(
            install=install(granted_capabilities=frozenset()),
            run=build_run(
                status=RunStatus.SKIPPED,
                attempt=0,
                skip_reason=SkipReason.CAPABILITY_REVOKED,
                error=f"The install no longer has {SCHEDULER_MANAGE}",
            ),
            changes=(build_change(-30, GRANTED, REVOKED, of_install=True),),
        ),
        Verdict.SKIPPED,
        f"It was skipped: the install no longer has {SCHEDULER_MANAGE}.",
        [f"The install was not granted {SCHEDULER_MANAGE}, since {BEFORE}."],
        [],
    ),
}
