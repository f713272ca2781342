"""Delete a schedule."""

from scheduling.domain.errors import PreconditionFailed
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import require_manageable, reserve_write
from scheduling.operations.schedules.queries import require_visible
from scheduling.operations.services import Services
from scheduling.operations.sync.converge import apply_or_rollback, finish_pending_change
from scheduling.operations.sync.optimistic_writes import delete_schedule_row, write_schedule


def delete_schedule(
    services: Services,
    install_id: InstallId,
    schedule_id: ScheduleId,
    *,
    if_match: frozenset[int] | None = None,
) -> None:
    """The schedule, its timer and its name are gone; with `if_match`, if it is of such a revision.

    Raises InstallNotFound, CapabilityDenied, ScheduleNotFound, PreconditionFailed, RateLimited, and
    Unavailable; whichever it is, the schedule stays as it was.
    """
    services.retry(lambda: _delete_schedule_once(services, install_id, schedule_id, if_match))


def _delete_schedule_once(
    services: Services, install_id: InstallId, schedule_id: ScheduleId, if_match: frozenset[int] | None
) -> None:
    snapshot = services.schedules.read_schedule(install_id, schedule_id)
    install = require_manageable(snapshot.install)
    if snapshot.schedule and snapshot.schedule.pending:
        finish_pending_change(services, snapshot.schedule, "Schedule not deleted")
    before = require_visible(snapshot.schedule)
    if if_match is not None and before.revision not in if_match:
        raise PreconditionFailed
    now = services.clock()
    reservation = reserve_write(install, services.limits, now)
    if not before.should_have_timer:
        delete_schedule_row(services, before, reservation)
        return
    after = before.marked_deleted(now)
    write_schedule(services, before, after, reserve=reservation)
    failure = "Schedule not deleted: the timer service is not available"
    apply_or_rollback(services, before, after, reservation, failure=failure)
