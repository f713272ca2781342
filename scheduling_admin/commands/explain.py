"""The command that explains an occurrence."""

from typing import Annotated

import typer
from rich.console import RenderableType
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.runs import Fire, Run, RunStatus, Trigger, manual_time_text

from scheduling_admin.commands import arguments
from scheduling_admin.commands.schedules import find
from scheduling_admin.errors import AdminError, Exit
from scheduling_admin.explain.engine import explain as explained
from scheduling_admin.explain.evidence import Explanation, Facts
from scheduling_admin.explain.history import may_have_a_letter
from scheduling_admin.output.fields import run_fields, timer_fields
from scheduling_admin.output.report import Report
from scheduling_admin.output.tables import sentence
from scheduling_admin.output.times import Asked, asked, both_text, instant, wall_text
from scheduling_admin.stack.session import Operator

_NEIGHBOURS = 5
Time = Annotated[
    str,
    typer.Argument(
        metavar="TIME",
        help="The occurrence's time, such as 2026-11-23T09:00:00Z; without Z or offset, in the schedule's zone.",
    ),
]


def explain(
    operator: Operator, install: arguments.Install, schedule: arguments.Schedule, time: Time
) -> Report:
    """Tell why an occurrence of a schedule did run, or did not."""
    facts = _facts(operator, InstallId(install), ScheduleId(schedule), time)
    told = explained(facts)
    return Report(_document(facts, told), _shown(facts, told), Exit.WRONG if told.verdict.wrong else Exit.OK)


def _facts(operator: Operator, install_id: InstallId, schedule_id: ScheduleId, time: str) -> Facts:
    install, schedule = find(operator, install_id, schedule_id)
    try:
        when = asked(time, schedule.definition.timezone)
    except ValueError as error:
        raise AdminError(str(error), Exit.USAGE) from error
    run = None if when.skipped else operator.services.runs.read(_fire(install_id, schedule_id, when)).run
    now = operator.now
    look = operator.letters.look() if may_have_a_letter(run) and when.moment <= now else None
    return Facts(
        asked=when,
        now=now,
        install=install,
        schedule=schedule,
        run=run,
        under_way=_under_way(operator, install_id, schedule_id, run),
        timer=operator.services.timers.get(schedule_id),
        look=look,
        history_days=operator.stack.history_days,
        log_group=f"/aws/lambda/{operator.stack.name}-execute",
    )


def _fire(install_id: InstallId, schedule_id: ScheduleId, when: Asked) -> Fire:
    trigger = Trigger.MANUAL if when.manual else Trigger.SCHEDULE
    return Fire(
        install_id=install_id,
        schedule_id=schedule_id,
        revision=0,
        scheduled_time=when.name,
        trigger=trigger,
    )


def _under_way(
    operator: Operator, install_id: InstallId, schedule_id: ScheduleId, run: Run | None
) -> Run | None:
    """The run that a skipped one met: the newest that had begun by then and was a run at all."""
    if run is None or run.status is not RunStatus.SKIPPED:
        return None
    before = manual_time_text(run.started_at)
    page = operator.services.runs.page(install_id, schedule_id, before=before, limit=_NEIGHBOURS)
    begun = (other for other in page.runs if other.attempt and other.scheduled_time != run.scheduled_time)
    return next(begun, None)


def _document(facts: Facts, told: Explanation) -> dict[str, object]:
    return {
        "installId": facts.install.id,
        "scheduleId": facts.schedule.id,
        "scheduledTime": None if facts.asked.skipped else facts.asked.name,
        "localTime": facts.asked.wall.isoformat(),
        "timezone": facts.zone,
        "verdict": told.verdict.value,
        "wrong": told.verdict.wrong,
        "answer": told.answer,
        "because": list(told.because),
        "advice": list(told.advice),
        "run": run_fields(facts.run) if facts.run else None,
        "timer": timer_fields(facts.timer),
        "letters": [{"sentAt": instant(each.sent_at), "reason": each.reason} for each in facts.letters],
    }


def _shown(facts: Facts, told: Explanation) -> list[RenderableType]:
    definition = facts.schedule.definition
    when = f"{wall_text(facts.asked.wall)}, {facts.zone}"
    if not facts.asked.skipped:
        when = both_text(facts.asked.moment, facts.zone)
    style = "bold red" if told.verdict.wrong else "bold"
    return [
        sentence(f"{definition.name or facts.schedule.id}: {definition.endpoint}, {when}", "dim"),
        sentence(told.answer, style),
        *(sentence(text, indent=2) for text in told.because),
        *(sentence(text, "cyan", indent=2) for text in told.advice),
    ]
