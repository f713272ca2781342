"""The command that runs a schedule now."""

from typing import Annotated
from uuid import uuid4

import typer
from rich.console import RenderableType
from scheduling.domain.errors import Unavailable
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.runs import MAX_ATTEMPTS, Fire, Run, RunStatus
from scheduling.operations.runs.run_now import run_now

from scheduling_admin.commands import arguments
from scheduling_admin.errors import AdminError, Exit, failure_of
from scheduling_admin.output.fields import run_fields
from scheduling_admin.output.report import Report
from scheduling_admin.output.tables import sentence
from scheduling_admin.output.views import runs_table
from scheduling_admin.stack.session import Operator

POLL_SECONDS = 1.0

Key = Annotated[
    str | None,
    typer.Option(
        help="1 to 64 characters. The same key within 24 hours is the same run; by default, a new one."
    ),
]
Wait = Annotated[bool, typer.Option("--wait", help="Follow the history until the run has ended.")]
Timeout = Annotated[int, typer.Option(min=1, help="How many seconds --wait waits.")]


def run(
    operator: Operator,
    install: arguments.Install,
    schedule: arguments.Schedule,
    idempotency_key: Key = None,
    wait: Wait = False,
    timeout: Timeout = 300,
) -> Report:
    """Run a schedule now, apart from its timer."""
    key = str(uuid4()) if idempotency_key is None else idempotency_key
    if not 1 <= len(key) <= 64:
        raise AdminError("--idempotency-key must have 1 to 64 characters.", Exit.USAGE)
    try:
        fire = run_now(operator.services, operator.deliver, InstallId(install), ScheduleId(schedule), key)
    except Unavailable as error:
        text = f"{failure_of(error)} To make sure of this very run: --idempotency-key {key}"
        raise AdminError(text, Exit.AWS) from error
    handed = {
        "installId": install,
        "scheduleId": schedule,
        "scheduledTime": fire.scheduled_time,
        "idempotencyKey": key,
    }
    if not wait:
        told = (
            f"Handed over, as {fire.scheduled_time}. What comes of it: --wait, or the history of `schedule`."
        )
        return Report({**handed, "run": None}, [sentence(told)])
    found = _followed(operator, fire, timeout)
    ends_with = Exit.OK if found and found.status is RunStatus.SUCCESS else Exit.WRONG
    return Report({**handed, "run": run_fields(found) if found else None}, _shown(fire, found), ends_with)


def _followed(operator: Operator, fire: Fire, timeout: int) -> Run | None:
    """The run once it has ended, or as it stands when the time is up; None where it has not begun."""
    services = operator.services
    deadline = services.monotonic() + timeout
    with operator.progress(counted=False) as bar:
        task = bar.add_task("Waiting for the run to begin", total=None)
        while True:
            found = services.runs.read(fire).run
            if (found and _ended(found)) or services.monotonic() > deadline:
                return found
            if found:
                bar.update(task, description=f"Attempt {found.attempt}: {found.status.value}")
            services.sleep(POLL_SECONDS)


def _ended(found: Run) -> bool:
    if found.status is RunStatus.ERROR:
        return not found.retryable or found.attempt >= MAX_ATTEMPTS
    return found.status is not RunStatus.RUNNING


def _shown(fire: Fire, found: Run | None) -> list[RenderableType]:
    if found is None:
        return [sentence(f"The run {fire.scheduled_time} has not begun yet; `explain` tells more.", "yellow")]
    if _ended(found):
        return [runs_table([found])]
    return [
        runs_table([found]),
        sentence("It has not ended yet; the history of `schedule` tells more.", "yellow"),
    ]
