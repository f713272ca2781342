"""Changes of rows whose responses may be lost."""

from collections.abc import Callable
from enum import Enum
from typing import TypeVar

from scheduling.domain.errors import Conflict, Unavailable, UnconfirmedChange
from scheduling.domain.install import Install, WriteReservation
from scheduling.domain.requests.idempotency import IdempotencyRecord
from scheduling.domain.schedule import Schedule, ScheduleState
from scheduling.domain.tenant import Tenant
from scheduling.operations.services import Services

_T = TypeVar("_T")


class WriteOutcome(Enum):
    """Whether a write whose response was lost has changed its row."""

    APPLIED = "applied"
    NOT_APPLIED = "not applied"
    UNKNOWN = "unknown"
    """The row does not show it, since others have changed it."""


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
    """Change the row from `before` to `after`, as `apply_schedule_write` does."""
    apply_schedule_write(
        services,
        before,
        after,
        lambda: services.schedules.replace_schedule(
            before,
            after,
            reserve=reserve,
            release=release,
            save_record=save_record,
            delete_record_key=delete_record_key,
        ),
    )


def apply_schedule_write(
    services: Services, before: Schedule | None, after: Schedule, write: Callable[[], None]
) -> None:
    """Let `write` change the row from `before` to `after`; where the response is lost, read whether it has changed.

    A write may also conflict with itself, when the SDK repeats a request whose response it has lost.

    Raises:
        Conflict: The row was not changed.
        Unavailable: The row was not changed.
        UnconfirmedChange: The row may have been changed.
    """
    try:
        write()
    except (Conflict, Unavailable) as error:
        _raise_unless_applied(error, _read_schedule_outcome(services, before, after))


def delete_schedule_row(services: Services, schedule: Schedule, reservation: WriteReservation) -> None:
    """Delete the row of a schedule without timer, as `write_schedule` changes one."""
    try:
        services.schedules.replace_schedule(schedule, None, reserve=reservation)
    except (Conflict, Unavailable):
        if _reread_schedule(services, schedule) is not None:
            raise


def write_install(
    services: Services, before: Install | None, after: Install, apply_change: Callable[[], None]
) -> None:
    """Apply the change of an install from `before` to `after`, as `write_schedule` does."""
    try:
        apply_change()
    except (Conflict, Unavailable) as error:
        _raise_unless_applied(error, _read_install_outcome(services, before, after))


def write_tenant(services: Services, before: Tenant, after: Tenant) -> None:
    """Pause or resume a tenant, as `write_schedule` changes a schedule."""
    try:
        services.tenants.replace_tenant(before, after)
    except (Conflict, Unavailable) as error:
        current = _read_or_unconfirmed(lambda: services.tenants.read_tenant(after.id))
        outcome = _compare_tokens(current.generation, before.generation, after.generation)
        _raise_unless_applied(error, outcome)


def _raise_unless_applied(error: Conflict | Unavailable, outcome: WriteOutcome) -> None:
    """Raise the error of a write that has changed nothing; what is unknown after a conflict has changed nothing."""
    if outcome is WriteOutcome.APPLIED:
        return
    if outcome is WriteOutcome.UNKNOWN and isinstance(error, Unavailable):
        raise UnconfirmedChange from error
    raise error


def _read_schedule_outcome(services: Services, before: Schedule | None, after: Schedule) -> WriteOutcome:
    current = _reread_schedule(services, after)
    if before is None:
        return WriteOutcome.APPLIED if current else WriteOutcome.NOT_APPLIED
    if current is None:  # after a deletion, somebody has finished it
        return WriteOutcome.UNKNOWN if after.state is ScheduleState.ACTIVE else WriteOutcome.APPLIED
    return _compare_tokens(current.change_token, before.change_token, after.change_token)


def _read_install_outcome(services: Services, before: Install | None, after: Install) -> WriteOutcome:
    current = _read_or_unconfirmed(lambda: services.installs.read_install(after.id))
    if current is None:
        return WriteOutcome.APPLIED if after.deleting else WriteOutcome.UNKNOWN
    if current.declared_state == after.declared_state:
        return WriteOutcome.APPLIED
    return _compare_tokens(current.generation, before.generation if before else None, None)


def _compare_tokens(current: object, before: object, after: object) -> WriteOutcome:
    if current == after:
        return WriteOutcome.APPLIED
    return WriteOutcome.NOT_APPLIED if current == before else WriteOutcome.UNKNOWN


def _reread_schedule(services: Services, schedule: Schedule) -> Schedule | None:
    return _read_or_unconfirmed(
        lambda: services.schedules.read_snapshot(schedule.install_id, schedule.id)
    ).schedule


def _read_or_unconfirmed(read: Callable[[], _T]) -> _T:
    try:
        return read()
    except Unavailable as unavailable:
        raise UnconfirmedChange from unavailable
