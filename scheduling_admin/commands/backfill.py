"""The command `backfill`."""

from dataclasses import replace
from typing import Annotated

import typer
from rich.console import RenderableType
from scheduling.domain.deliveries.backfill import (
    BackfillPlan,
    BackfillRequest,
    Selection,
    parse_backfill_request,
)
from scheduling.domain.errors import ValidationFailed
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.views import backfill_fields
from scheduling.operations.runs.backfill import start_backfill

from scheduling_admin.commands import arguments
from scheduling_admin.commands.schedules import find_schedule, resolve_schedule_id
from scheduling_admin.errors import AdminError, ExitStatus
from scheduling_admin.explain.evidence import usable_timezone
from scheduling_admin.output.report import CommandReport
from scheduling_admin.output.tables import Listing, render_sentence
from scheduling_admin.output.times import parse_occurrence_time
from scheduling_admin.stack.session import AdminSession

FromOption = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="TIME",
        help="The start of the period, which is part of it; without Z or offset, in the schedule's time zone.",
    ),
]
ToOption = Annotated[
    str, typer.Option("--to", metavar="TIME", help="The end of the period, likewise; not in the future.")
]
WhichOption = Annotated[
    Selection, typer.Option("--which", help="The newest occurrence of the period alone, or all.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="List the occurrences and run none.")]


def backfill(
    session: AdminSession,
    install: arguments.InstallArgument,
    schedule: arguments.ScheduleArgument,
    first: FromOption,
    last: ToOption,
    which: WhichOption,
    dry_run: DryRunOption = False,
    yes: arguments.YesOption = False,
) -> CommandReport:
    """Run the past occurrences of a schedule that have not succeeded, at most 100.

    Occurrences that have succeeded, or are still to be run, are left out. A schedule has one backfill at a time.
    """
    install_id = InstallId(install)
    schedule_id = resolve_schedule_id(session, install_id, schedule)
    request = _parse_request(session, install_id, schedule_id, first, last, which)
    plan = _start(session, install_id, schedule_id, replace(request, dry_run=True))
    if not dry_run and plan.scheduled_times:
        session.confirm(f"Run {_format_count(plan)} of schedule {schedule_id}?", yes=yes)
        plan = _start(session, install_id, schedule_id, request)
    request = replace(request, dry_run=dry_run)
    return CommandReport(
        {"installId": install_id, **backfill_fields(schedule_id, request, plan)},
        _render_plan(plan, dry_run=dry_run),
    )


def _parse_request(
    session: AdminSession,
    install_id: InstallId,
    schedule_id: ScheduleId,
    first: str,
    last: str,
    which: Selection,
) -> BackfillRequest:
    _, schedule = find_schedule(session, install_id, schedule_id)
    timezone = usable_timezone(schedule)
    try:
        moments = [parse_occurrence_time(text, timezone).moment.isoformat() for text in (first, last)]
        fields = {"from": moments[0], "to": moments[1], "which": which.value}
        return parse_backfill_request(fields, session.now)
    except ValidationFailed as error:
        options = (f"--{name}{text.removeprefix(name)}" for name, text in error.field_errors.items())
        raise AdminError(f"{'; '.join(options)}.", ExitStatus.USAGE) from error
    except ValueError as error:
        raise AdminError(str(error), ExitStatus.USAGE) from error


def _start(
    session: AdminSession, install_id: InstallId, schedule_id: ScheduleId, request: BackfillRequest
) -> BackfillPlan:
    return start_backfill(session.services, install_id, schedule_id, request, actor=session.actor)


def _render_plan(plan: BackfillPlan, *, dry_run: bool) -> list[RenderableType]:
    outcome = "would be run" if dry_run else "will be run; `schedule` shows the results in its history"
    rows = [(time, outcome.partition(";")[0]) for time in plan.scheduled_times]
    rows += [(time, f"left out: {status}") for time, status in plan.left_out.items()]
    table = [Listing(("Scheduled time", "Backfill"), sorted(rows))] if rows else []
    return [*table, render_sentence(f"{_format_count(plan)} {outcome}.")]


def _format_count(plan: BackfillPlan) -> str:
    count = len(plan.scheduled_times)
    return f"{count} occurrence{'' if count == 1 else 's'}"
