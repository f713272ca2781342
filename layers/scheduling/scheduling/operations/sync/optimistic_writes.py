"""Changes of rows whose answers may be lost."""

from collections.abc import Callable
from typing import TypeVar

from scheduling.domain.errors import Conflict, Unavailable, Uncertain
from scheduling.domain.install import Acceptance, Install
from scheduling.domain.schedule import EarlierWrite, Life, Schedule
from scheduling.domain.tenant import Tenant
from scheduling.operations.services import Services

_T = TypeVar("_T")
_Seen = bool | None
"""Whether a change was made; None where a look at what there is does not tell, since others have changed it."""


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
    Conflict or Unavailable, and then the row was not changed, or Uncertain.
    """
    try:
        services.schedules.replace(
            before, after, accept=accept, release=release, remember=remember, forget=forget
        )
    except (Conflict, Unavailable) as failed:
        if not _known(failed, _made(services, before, after)):
            raise


def remove(services: Services, schedule: Schedule, accept: Acceptance) -> None:
    """Remove the row of a schedule without timer, like `write`."""
    try:
        services.schedules.replace(schedule, None, accept=accept)
    except (Conflict, Unavailable):
        if _read_again(services, schedule) is not None:
            raise


def write_install(
    services: Services, before: Install | None, after: Install, change: Callable[[], None]
) -> None:
    """Make the change of an install from `before` to `after`, like `write`."""
    try:
        change()
    except (Conflict, Unavailable) as failed:
        if not _known(failed, _install_made(services, before, after)):
            raise


def write_tenant(services: Services, before: Tenant, after: Tenant) -> None:
    """Turn a tenant, like `write`."""
    try:
        services.tenants.replace(before, after)
    except (Conflict, Unavailable) as failed:
        current = _answered(lambda: services.tenants.read(after.id))
        if not _known(failed, _among(current.generation, before.generation, after.generation)):
            raise


def _known(failed: Conflict | Unavailable, made: _Seen) -> bool:
    """Whether the change was made. After a conflict, what does not tell was not; else raises Uncertain."""
    if made is None and isinstance(failed, Unavailable):
        raise Uncertain from failed
    return bool(made)


def _made(services: Services, before: Schedule | None, after: Schedule) -> _Seen:
    current = _read_again(services, after)
    if before is None:
        return current is not None
    if current is None:
        return None if after.life is Life.ACTIVE else True  # somebody has finished the removal
    return _among(current.change_token, before.change_token, after.change_token)


def _install_made(services: Services, before: Install | None, after: Install) -> _Seen:
    current = _answered(lambda: services.schedules.read(after.id)).install
    if current is None:
        return True if after.deleting else None
    if current.stated == after.stated:
        return True
    return _among(current.generation, before.generation if before else None, None)


def _among(current: object, before: object, after: object) -> _Seen:
    return True if current == after else False if current == before else None


def _read_again(services: Services, schedule: Schedule) -> Schedule | None:
    return _answered(lambda: services.schedules.read(schedule.install_id, schedule.id)).schedule


def _answered(look: Callable[[], _T]) -> _T:
    try:
        return look()
    except Unavailable as unavailable:
        raise Uncertain from unavailable
