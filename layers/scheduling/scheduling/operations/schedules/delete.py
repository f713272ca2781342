"""Delete a schedule."""

from scheduling.domain.errors import PreconditionFailed
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import accept_write, managed
from scheduling.operations.schedules.queries import visible
from scheduling.operations.services import Services
from scheduling.operations.sync.converge import carry_out, settle_first
from scheduling.operations.sync.optimistic_writes import remove, write


def delete(
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
    services.retry(lambda: _delete(services, install_id, schedule_id, if_match))


def _delete(
    services: Services, install_id: InstallId, schedule_id: ScheduleId, if_match: frozenset[int] | None
) -> None:
    snapshot = services.schedules.read(install_id, schedule_id)
    install = managed(snapshot.install)
    if snapshot.schedule and snapshot.schedule.pending:
        settle_first(services, snapshot.schedule, "Schedule not deleted")
    before = visible(snapshot.schedule)
    if if_match is not None and before.revision not in if_match:
        raise PreconditionFailed
    now = services.clock()
    accepted = accept_write(install, services.limits, now)
    if not before.due:
        remove(services, before, accepted)
        return
    removed = before.removed(now)
    write(services, before, removed, accept=accepted)
    failure = "Schedule not deleted: the timer service is not available"
    carry_out(services, before, removed, accepted, failure=failure)
