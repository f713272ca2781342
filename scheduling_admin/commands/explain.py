"""The command `explain`."""

from typing import Annotated

import typer
from rich.console import RenderableType
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.views import format_timestamp

from scheduling_admin.commands import arguments
from scheduling_admin.commands.schedules import find_schedule, resolve_schedule_id
from scheduling_admin.errors import AdminError, ExitStatus
from scheduling_admin.explain.engine import explain_occurrence
from scheduling_admin.explain.evidence import Evidence, Explanation, usable_timezone
from scheduling_admin.explain.gather import gather_evidence
from scheduling_admin.health.rendering import queue_fields
from scheduling_admin.output.fields import run_fields, timer_fields
from scheduling_admin.output.report import CommandReport
from scheduling_admin.output.tables import render_sentence
from scheduling_admin.output.times import (
    format_local_and_utc,
    format_wall_time,
    parse_occurrence_time,
)
from scheduling_admin.stack.session import AdminSession

TimeArgument = Annotated[
    str,
    typer.Argument(
        metavar="TIME",
        help="The occurrence's time, such as 2026-11-23T09:00:00Z; without Z or offset, in the schedule's time zone.",
    ),
]


def explain(
    session: AdminSession,
    install: arguments.InstallArgument,
    schedule: arguments.ScheduleArgument,
    time: TimeArgument,
) -> CommandReport:
    """Explain why an occurrence of a schedule ran or did not run."""
    install_id = InstallId(install)
    schedule_id = resolve_schedule_id(session, install_id, schedule)
    evidence = _gather_evidence(session, install_id, schedule_id, time)
    explanation = explain_occurrence(evidence)
    return CommandReport(
        _build_document(evidence, explanation),
        _render_explanation(evidence, explanation),
        ExitStatus.NEEDS_ATTENTION if explanation.verdict.needs_attention else ExitStatus.OK,
    )


def _gather_evidence(
    session: AdminSession, install_id: InstallId, schedule_id: ScheduleId, time: str
) -> Evidence:
    install, schedule = find_schedule(session, install_id, schedule_id)
    try:
        occurrence = parse_occurrence_time(time, usable_timezone(schedule))
    except ValueError as error:
        raise AdminError(str(error), ExitStatus.USAGE) from error
    return gather_evidence(session, install, schedule, occurrence)


def _build_document(evidence: Evidence, explanation: Explanation) -> dict[str, object]:
    return {
        "installId": evidence.install.id,
        "scheduleId": evidence.schedule.id,
        "scheduledTime": None if evidence.occurrence.nonexistent else evidence.occurrence.scheduled_time,
        "localTime": evidence.occurrence.wall_time.isoformat(),
        "timezone": evidence.timezone,
        "verdict": explanation.verdict.value,
        "needsAttention": explanation.verdict.needs_attention,
        "summary": explanation.summary,
        "reasons": list(explanation.reasons),
        "advice": list(explanation.advice),
        "run": run_fields(evidence.run) if evidence.run else None,
        "timer": timer_fields(evidence.timer),
        "deadLetters": [
            {"sentAt": format_timestamp(each.sent_at), "reason": each.reason}
            for each in evidence.dead_letters
        ],
        "queue": queue_fields(evidence.queue) if evidence.queue else None,
    }


def _render_explanation(evidence: Evidence, explanation: Explanation) -> list[RenderableType]:
    definition = evidence.schedule.definition
    time_text = f"{format_wall_time(evidence.occurrence.wall_time)}, {evidence.timezone}"
    if not evidence.occurrence.nonexistent:
        time_text = format_local_and_utc(evidence.occurrence.moment, evidence.timezone)
    style = "bold red" if explanation.verdict.needs_attention else "bold"
    return [
        render_sentence(
            f"{definition.name or evidence.schedule.id}: {definition.endpoint}, {time_text}", "dim"
        ),
        render_sentence(explanation.summary, style),
        *(render_sentence(text, indent=2) for text in explanation.reasons),
        *(render_sentence(text, "cyan", indent=2) for text in explanation.advice),
    ]
