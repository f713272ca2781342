"""Changes of rows whose answers may be lost."""

from collections.abc import Callable
from typing import TypeVar

from scheduling.domain.errors import Conflict, Unavailable, UnconfirmedChange
from scheduling.domain.install import Install, WriteReservation
from scheduling.domain.schedule import IdempotencyRecord, Schedule, ScheduleState
from scheduling.domain.tenant import Tenant
from scheduling.operations.services import Services

_T = TypeVar("_T")
_ChangeMade = bool | None
"""Whether a change was made; None where a look at what there is does not tell, since others have changed it."""


def write_schedule(
    services: Services,
    before: Schedule | None,
    after: Schedule,
    *,
    reserve: WriteReservation | None = None,
    release: WriteReservation | None = None,
    save_record: IdempotencyRecord | None = None,
    delete_record_key: str | None = None,
) -> None:
    """Change the row from `before` to `after`; where the answer is lost, look whether it was changed.

    It may also be a conflict with itself: when the SDK sends a request again whose answer it has lost. Raises
    Conflict or Unavailable, and then the row was not changed, or Uncertain.
    """
    try:
        services.schedules.replace_schedule(
            before,
            after,
            reserve=reserve,
            release=release,
            save_record=save_record,
            delete_record_key=delete_record_key,
        )
    except (Conflict, Unavailable) as error:
        if not _resolve_change_made(error, _is_schedule_change_made(services, before, after)):
            raise


def delete_schedule_row(services: Services, schedule: Schedule, reservation: WriteReservation) -> None:
    """Remove the row of a schedule without timer, like `write`."""
    try:
        services.schedules.replace_schedule(schedule, None, reserve=reservation)
    except (Conflict, Unavailable):
        if _reread_schedule(services, schedule) is not None:
            raise


def write_install(
    services: Services, before: Install | None, after: Install, apply_change: Callable[[], None]
) -> None:
    """Make the change of an install from `before` to `after`, like `write`."""
    try:
        apply_change()
    except (Conflict, Unavailable) as error:
        if not _resolve_change_made(error, _is_install_change_made(services, before, after)):
            raise


def write_tenant(services: Services, before: Tenant, after: Tenant) -> None:
    """Turn a tenant, like `write`."""
    try:
        services.tenants.replace_tenant(before, after)
    except (Conflict, Unavailable) as error:
        current = _read_or_unconfirmed(lambda: services.tenants.read_tenant(after.id))
        if not _resolve_change_made(
            error, _compare_tokens(current.generation, before.generation, after.generation)
        ):
            raise


def _resolve_change_made(error: Conflict | Unavailable, change_made: _ChangeMade) -> bool:
    """Whether the change was made. After a conflict, what does not tell was not; else raises Uncertain."""
    if change_made is None and isinstance(error, Unavailable):
        raise UnconfirmedChange from error
    return bool(change_made)


def _is_schedule_change_made(services: Services, before: Schedule | None, after: Schedule) -> _ChangeMade:
    current = _reread_schedule(services, after)
    if before is None:
        return current is not None
    if current is None:
        return None if after.state is ScheduleState.ACTIVE else True  # somebody has finished the removal
    return _compare_tokens(current.change_token, before.change_token, after.change_token)


def _is_install_change_made(services: Services, before: Install | None, after: Install) -> _ChangeMade:
    current = _read_or_unconfirmed(lambda: services.schedules.read_schedule(after.id)).install
    if current is None:
        return True if after.deleting else None
    if current.declared_state == after.declared_state:
        return True
    return _compare_tokens(current.generation, before.generation if before else None, None)


def _compare_tokens(current: object, before: object, after: object) -> _ChangeMade:
    return True if current == after else False if current == before else None


def _reread_schedule(services: Services, schedule: Schedule) -> Schedule | None:
    return _read_or_unconfirmed(
        lambda: services.schedules.read_schedule(schedule.install_id, schedule.id)
    ).schedule


def _read_or_unconfirmed(read: Callable[[], _T]) -> _T:
    try:
        return read()
    except Unavailable as unavailable:
        raise UnconfirmedChange from unavailable
