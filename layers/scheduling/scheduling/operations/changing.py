"""Changes of rows whose answers may be lost."""

from collections.abc import Callable

from scheduling.domain.errors import Unavailable
from scheduling.domain.idempotency import EarlierWrite
from scheduling.domain.install import Acceptance, Install
from scheduling.domain.schedule import Life, Schedule
from scheduling.operations.ports import Conflict
from scheduling.operations.services import Services

UNCERTAIN = "The change could not be confirmed; it may still take effect"
"""Told when DynamoDB answers neither a write nor the look after it."""


def write(
    services: Services,
    before: Schedule | None,
    after: Schedule,
    *,
    accept: Acceptance | None = None,
    release: Acceptance | None = None,
    remember: EarlierWrite | None = None,
    forget: str | None = None,
) -> None:
    """Change the row from `before` to `after`; where the answer is lost, look whether it was changed.

    It may also be a conflict with itself: when the SDK sends a request again whose answer it has lost. Raises
    Conflict or Unavailable, and then the row was not changed, unless the text says that this is not certain.
    """
    try:
        services.schedules.replace(
            before, after, accept=accept, release=release, remember=remember, forget=forget
        )
    except (Conflict, Unavailable):
        if not _made(services, before, after):
            raise


def remove(services: Services, schedule: Schedule, accept: Acceptance) -> None:
    """Remove the row of a schedule without timer, like `write`."""
    try:
        services.schedules.replace(schedule, None, accept=accept)
    except (Conflict, Unavailable):
        if _read_again(services, schedule) is not None:
            raise


def write_install(services: Services, after: Install, change: Callable[[], None]) -> None:
    """Make the change of an install to `after`, like `write`."""
    try:
        change()
    except (Conflict, Unavailable):
        try:
            current = services.schedules.read(after.id).install
        except Unavailable as unavailable:
            raise Unavailable(UNCERTAIN) from unavailable
        if current is None or current.stated != after.stated:
            raise


def _made(services: Services, before: Schedule | None, after: Schedule) -> bool:
    current = _read_again(services, after)
    if current is None:
        return after.life is not Life.ACTIVE  # somebody has finished the removal
    return before is None or current.change_token == after.change_token


def _read_again(services: Services, schedule: Schedule) -> Schedule | None:
    try:
        return services.schedules.read(schedule.install_id, schedule.id).schedule
    except Unavailable as unavailable:
        raise Unavailable(UNCERTAIN) from unavailable
