"""The arguments that several commands have, each checked where it enters."""

import base64
import binascii
from typing import Annotated

import typer
from scheduling.domain.ids import (
    INSTALL_ID_FORM,
    TENANT_ID_FORM,
    InstallId,
    ScheduleId,
    parse_install_id,
    parse_schedule_id,
    parse_tenant_id,
)

from scheduling_admin.errors import AdminError, Exit


def install_id(text: str) -> InstallId:
    """The install id. Raises BadParameter."""
    found = parse_install_id(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no install id: {INSTALL_ID_FORM}")
    return found


def schedule_id(text: str) -> ScheduleId:
    """The schedule id. Raises BadParameter."""
    found = parse_schedule_id(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no schedule id: a UUID, as `schedules` lists it")
    return found


def tenant_id(text: str) -> str:
    """The tenant id. Raises BadParameter."""
    found = parse_tenant_id(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no tenant id: {TENANT_ID_FORM}")
    return found


Install = Annotated[str, typer.Argument(parser=install_id, metavar="INSTALL", help="The install's id.")]
Schedule = Annotated[str, typer.Argument(parser=schedule_id, metavar="SCHEDULE", help="The schedule's id.")]
Tenant = Annotated[str, typer.Argument(parser=tenant_id, metavar="TENANT", help="The tenant's id.")]
OfInstall = Annotated[
    str | None, typer.Option("--install", parser=install_id, metavar="INSTALL", help="Of this install.")
]
OfTenant = Annotated[
    str | None, typer.Option("--tenant", parser=tenant_id, metavar="TENANT", help="Of this tenant.")
]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")]
Cursor = Annotated[str | None, typer.Option(help="Where the last page ended, as it was told there.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def encoded(kind: str, place: str | None) -> str | None:
    """A word for the place in lists of that kind; None at the end."""
    return base64.urlsafe_b64encode(f"{kind} {place}".encode()).decode() if place else None


def decoded(kind: str, cursor: str | None) -> str | None:
    """The place that the word stands for. Raises AdminError for one of another list."""
    if cursor is None:
        return None
    try:
        found, _, place = base64.urlsafe_b64decode(cursor).decode().partition(" ")
    except (binascii.Error, ValueError):
        found = place = ""
    if found != kind:
        text = f"--cursor {cursor} is not of this list; take the word that its last page ended with."
        raise AdminError(text, Exit.USAGE)
    return place
