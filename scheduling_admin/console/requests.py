"""What a request names in its URL."""

from scheduling.domain.errors import InstallNotFound, ScheduleNotFound
from scheduling.domain.ids import InstallId, ScheduleId, parse_install_id, parse_schedule_id
from starlette.requests import Request

from scheduling_admin.console.server import Console
from scheduling_admin.console.timeline.window import TimeWindow, parse_window

_MAX_DIGITS = 9


def parse_install(request: Request) -> InstallId:
    """Return the install.

    Raises:
        InstallNotFound: It is no install's id.
    """
    install_id = parse_install_id(request.path_params["install"])
    if install_id is None:
        raise InstallNotFound
    return install_id


def parse_ids(request: Request) -> tuple[InstallId, ScheduleId]:
    """Return the install and the schedule.

    Raises:
        InstallNotFound: It is no install's id.
        ScheduleNotFound: It is no schedule's id.
    """
    schedule_id = parse_schedule_id(request.path_params["schedule"])
    if schedule_id is None:
        raise ScheduleNotFound
    return parse_install(request), schedule_id


def parse_number(text: str | None) -> int | None:
    """Return a whole number of at most nine digits, None for anything else."""
    return int(text) if text and text.isdecimal() and len(text) <= _MAX_DIGITS else None


def read_window(console: Console, request: Request) -> TimeWindow:
    """Return the window of time, around the stack's present time by default."""
    parameters = request.query_params
    return parse_window(parameters.get("span"), parameters.get("at"), console.session.now)
