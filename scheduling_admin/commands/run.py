"""The command `run`."""

from typing import Annotated
from uuid import uuid4

import typer
from rich.console import RenderableType
from scheduling.domain.errors import Unavailable
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.runs import Fire, Run, RunStatus
from scheduling.operations.runs.run_now import run_now

from scheduling_admin.commands import arguments
from scheduling_admin.commands.schedules import resolve_schedule_id
from scheduling_admin.errors import AdminError, ExitStatus, convert_to_admin_error
from scheduling_admin.output.fields import run_fields
from scheduling_admin.output.report import CommandReport
from scheduling_admin.output.tables import render_sentence
from scheduling_admin.output.views import build_runs_table
from scheduling_admin.queries.outcomes import POLL_SECONDS, has_ended, read_run
from scheduling_admin.stack.session import AdminSession

IdempotencyKeyOption = Annotated[
    str | None,
    typer.Option(
        help="1 to 64 characters; the same key within 24 hours is the same run. The default is a new key."
    ),
]


def run(
    session: AdminSession,
    install: arguments.InstallArgument,
    schedule: arguments.ScheduleArgument,
    idempotency_key: IdempotencyKeyOption = None,
    wait: arguments.WaitOption = False,
    timeout: arguments.TimeoutOption = 300,
) -> CommandReport:
    """Run a schedule now, independently of its timer."""
    key = str(uuid4()) if idempotency_key is None else idempotency_key
    if not 1 <= len(key) <= 64:
        raise AdminError("--idempotency-key must have 1 to 64 characters.", ExitStatus.USAGE)
    install_id = InstallId(install)
    schedule_id = resolve_schedule_id(session, install_id, schedule)
    fire = _start_run(session, install_id, schedule_id, key)
    document = {
        "installId": install_id,
        "scheduleId": schedule_id,
        "scheduledTime": fire.scheduled_time,
        "idempotencyKey": key,
    }
    if not wait:
        message = f"Started as {fire.scheduled_time}. `schedule` shows the result in its history; --wait waits for it."
        return CommandReport({**document, "run": None}, [render_sentence(message)])
    current_run = _wait_for_run(session, fire, timeout)
    succeeded = current_run is not None and current_run.status is RunStatus.SUCCESS
    return CommandReport(
        {**document, "run": run_fields(current_run) if current_run else None},
        _render_run(fire, current_run),
        ExitStatus.OK if succeeded else ExitStatus.NEEDS_ATTENTION,
    )


def _start_run(session: AdminSession, install_id: InstallId, schedule_id: ScheduleId, key: str) -> Fire:
    try:
        return run_now(session.services, session.deliver, install_id, schedule_id, key, actor=session.actor)
    except Unavailable as error:
        text = f"{convert_to_admin_error(error)} To retry this very run, use --idempotency-key {key}"
        raise AdminError(text, ExitStatus.AWS) from error


def _wait_for_run(session: AdminSession, fire: Fire, timeout: int) -> Run | None:
    """Return the run once it has ended, or its state at the timeout; None if it has not started."""
    services = session.services
    deadline = services.monotonic() + timeout
    with session.show_progress(show_count=False) as bar:
        task = bar.add_task("Waiting for the run to start", total=None)
        while True:
            current_run = read_run(services, fire)
            if (current_run and has_ended(current_run)) or services.monotonic() > deadline:
                return current_run
            if current_run:
                bar.update(task, description=f"Attempt {current_run.attempt}: {current_run.status.value}")
            services.sleep(POLL_SECONDS)


def _render_run(fire: Fire, current_run: Run | None) -> list[RenderableType]:
    if current_run is None:
        return [
            render_sentence(f"The run {fire.scheduled_time} has not started yet; see `explain`.", "yellow")
        ]
    if has_ended(current_run):
        return [build_runs_table([current_run])]
    return [
        build_runs_table([current_run]),
        render_sentence("The run has not ended yet; see the history that `schedule` shows.", "yellow"),
    ]
