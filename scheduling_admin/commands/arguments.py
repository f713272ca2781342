"""The arguments that several commands have, each checked where it enters."""

import base64
import binascii
from typing import Annotated

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

from scheduling_admin.errors import AdminError, ExitStatus


def parse_install_argument(text: str) -> InstallId:
    """The install id. Raises BadParameter."""
    parsed_id = parse_install_id(text)
    if parsed_id is None:
        raise typer.BadParameter(f"{text!r} is no install id: {INSTALL_ID_FORMAT}")
    return parsed_id


def parse_schedule_argument(text: str) -> ScheduleId:
    """The schedule id. Raises BadParameter."""
    parsed_id = parse_schedule_id(text)
    if parsed_id is None:
        raise typer.BadParameter(f"{text!r} is no schedule id: a UUID, as `schedules` lists it")
    return parsed_id


def parse_tenant_argument(text: str) -> str:
    """The tenant id. Raises BadParameter."""
    parsed_id = parse_tenant_id(text)
    if parsed_id is None:
        raise typer.BadParameter(f"{text!r} is no tenant id: {TENANT_ID_FORMAT}")
    return parsed_id


InstallArgument = Annotated[
    str, typer.Argument(parser=parse_install_argument, metavar="INSTALL", help="The install's id.")
]
ScheduleArgument = Annotated[
    str, typer.Argument(parser=parse_schedule_argument, metavar="SCHEDULE", help="The schedule's id.")
]
TenantArgument = Annotated[
    str, typer.Argument(parser=parse_tenant_argument, metavar="TENANT", help="The tenant's id.")
]
InstallOption = Annotated[
    str | None,
    typer.Option("--install", parser=parse_install_argument, metavar="INSTALL", help="Of this install."),
]
TenantOption = Annotated[
    str | None,
    typer.Option("--tenant", parser=parse_tenant_argument, metavar="TENANT", help="Of this tenant."),
]
LimitOption = Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")]
CursorOption = Annotated[str | None, typer.Option(help="Where the last page ended, as it was told there.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def encode_cursor(kind: str, position: str | None) -> str | None:
    """A word for the place in lists of that kind; None at the end."""
    return base64.urlsafe_b64encode(f"{kind} {position}".encode()).decode() if position else None


def decode_cursor(kind: str, cursor: str | None) -> str | None:
    """The place that the word stands for. Raises AdminError for one of another list."""
    if cursor is None:
        return None
    try:
        cursor_kind, _, position = base64.urlsafe_b64decode(cursor).decode().partition(" ")
    except (binascii.Error, ValueError):
        cursor_kind = position = ""
    if cursor_kind != kind:
        text = f"--cursor {cursor} is not of this list; take the word that its last page ended with."
        raise AdminError(text, ExitStatus.USAGE)
    return position
