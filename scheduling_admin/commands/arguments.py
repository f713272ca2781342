"""Arguments and options that several commands share, and their parsers."""

from collections.abc import Callable
from typing import Annotated, TypeVar

import typer
from scheduling.domain.ids import (
    INSTALL_ID_FORMAT,
    TENANT_ID_FORMAT,
    InstallId,
    ScheduleId,
    parse_install_id,
    parse_schedule_id,
    parse_tenant_id,
)
from scheduling.domain.views import CursorScope, decode_cursor

from scheduling_admin.errors import AdminError, ExitStatus

_T = TypeVar("_T")


def parse_install_argument(text: str) -> InstallId:
    """Parse an install id.

    Raises:
        typer.BadParameter: The text is not an install id.
    """
    parsed_id = parse_install_id(text)
    if parsed_id is None:
        raise typer.BadParameter(f"{text!r} is not an install id: {INSTALL_ID_FORMAT}")
    return parsed_id


def parse_schedule_argument(text: str) -> ScheduleId:
    """Parse a schedule id.

    Raises:
        typer.BadParameter: The text is not a schedule id.
    """
    parsed_id = parse_schedule_id(text)
    if parsed_id is None:
        raise typer.BadParameter(f"{text!r} is not a schedule id: a UUID, as `schedules` lists them")
    return parsed_id


def parse_tenant_argument(text: str) -> str:
    """Parse a tenant id.

    Raises:
        typer.BadParameter: The text is not a tenant id.
    """
    parsed_id = parse_tenant_id(text)
    if parsed_id is None:
        raise typer.BadParameter(f"{text!r} is not a tenant id: {TENANT_ID_FORMAT}")
    return parsed_id


InstallArgument = Annotated[
    str, typer.Argument(parser=parse_install_argument, metavar="INSTALL", help="The install's id.")
]
ScheduleArgument = Annotated[
    str,
    typer.Argument(
        metavar="SCHEDULE", help="The schedule's id, its name, exactly as written, or the end of its id."
    ),
]
TenantArgument = Annotated[
    str, typer.Argument(parser=parse_tenant_argument, metavar="TENANT", help="The tenant's id.")
]
InstallOption = Annotated[
    str | None,
    typer.Option("--install", parser=parse_install_argument, metavar="INSTALL", help="Only of this install."),
]
TenantOption = Annotated[
    str | None,
    typer.Option("--tenant", parser=parse_tenant_argument, metavar="TENANT", help="Only of this tenant."),
]
ScheduleOption = Annotated[
    str | None,
    typer.Option(
        "--schedule", parser=parse_schedule_argument, metavar="SCHEDULE", help="Only of this schedule."
    ),
]
LimitOption = Annotated[int, typer.Option(min=1, max=1000, help="The maximum number of items.")]
CursorOption = Annotated[
    str | None, typer.Option(help="The cursor of the next page, as the previous one printed it.")
]
FailingOption = Annotated[
    bool, typer.Option("--failing", help="Only those whose newest run has failed, or waits for the runner.")
]
NotFiringOption = Annotated[bool, typer.Option("--not-firing", help="Only those that do not fire.")]
NotFiringSchedulesOption = Annotated[
    bool,
    typer.Option(
        "--not-firing", help="Only those that do not fire; of all tenants, those that nobody has stopped."
    ),
]
PausedInstallsOption = Annotated[bool, typer.Option("--paused", help="Only those of paused tenants.")]
PausedOption = Annotated[
    bool,
    typer.Option("--paused", help="Only those of paused tenants, or that the service paused after failures."),
]
WaitOption = Annotated[bool, typer.Option("--wait", help="Wait until what was started has ended.")]
TimeoutOption = Annotated[int, typer.Option(min=1, help="The number of seconds that --wait waits.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def decode_list_cursor(
    scope: CursorScope, cursor: str | None, parse_position: Callable[[str], _T | None]
) -> _T | None:
    """Return the position that the cursor encodes, None without a cursor.

    Raises:
        AdminError: The cursor is of another list.
    """
    if cursor is None:
        return None
    try:
        position = parse_position(decode_cursor(scope, cursor))
    except ValueError:
        position = None
    if position is None:
        text = f"--cursor {cursor} is not of this list; use the cursor that its previous page printed."
        raise AdminError(text, ExitStatus.USAGE)
    return position
