"""Delete a schedule."""

from scheduling.domain.errors import ScheduleNotFound
from scheduling.domain.ids import HOST_API, InstallId, ScheduleId, is_admin
from scheduling.domain.install import reserve_write
from scheduling.operations.schedules.queries import require_manageable_install, require_revision
from scheduling.operations.services import Services, retry_on_conflict
from scheduling.operations.sync.converge import apply_or_rollback, finish_pending_change
from scheduling.operations.sync.optimistic_writes import delete_schedule_row, write_schedule


@retry_on_conflict
def delete_schedule(
    services: Services,
    install_id: InstallId,
    schedule_id: ScheduleId,
    *,
    if_match: frozenset[int] | None = None,
    actor: str = HOST_API,
) -> None:
    """Delete the schedule with its timer and its name; with `if_match`, only at one of these revisions.

    After any error but UnconfirmedChange, the schedule is as it was.

    Raises:
        InstallNotFound: The install is absent, being deleted, or, for its extension, disabled.
        CapabilityDenied: The install may not have schedules.
        ScheduleNotFound: The schedule is absent or another install's.
        PreconditionFailed: The schedule has another revision.
        RateLimited: The extension has written too often; an admin never has.
        Unavailable: A system does not respond.
    """
    snapshot = services.schedules.read_snapshot(install_id, schedule_id)
    install = require_manageable_install(services, snapshot.install, actor)
    if snapshot.schedule and snapshot.schedule.pending:
        finish_pending_change(services, snapshot.schedule, "Schedule not deleted")
    before = snapshot.schedule
    now = services.clock()
    if before is None or not before.exists_at(now):
        raise ScheduleNotFound
    require_revision(before, if_match)
    reservation = reserve_write(install, services.limits, now, actor)
    needs_timer_check = before.should_have_timer or before.pending or before.unreadable
    if not (needs_timer_check or is_admin(actor)):  # the audit learns an admin from the mark alone
        delete_schedule_row(services, before, reservation)
        return
    after = before.marked_deleted(now, actor)
    write_schedule(services, before, after, reserve=reservation)
    failure = "Schedule not deleted: the timer service is not available"
    apply_or_rollback(services, before, after, reservation, failure=failure)
