"""Change a schedule."""

from scheduling.domain.errors import PreconditionFailed
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import accept_write, managed
from scheduling.domain.rules import Rules, ScheduleInput, wanted_name
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.propagate import follow_first
from scheduling.operations.schedules.queries import endpoints_of, visible
from scheduling.operations.services import Services
from scheduling.operations.sync.converge import carry_out, settle_first
from scheduling.operations.sync.optimistic_writes import write


def update(
    services: Services,
    install_id: InstallId,
    schedule_id: ScheduleId,
    given: ScheduleInput,
    *,
    if_match: frozenset[int] | None = None,
) -> Schedule:
    """The schedule with the given fields, its timer following; with `if_match`, if it is of such a revision.

    Raises InstallNotFound, CapabilityDenied, ScheduleNotFound, PreconditionFailed, ValidationFailed, NameTaken,
    RateLimited, and Unavailable; whichever it is, nothing is changed.
    """
    return services.retry(lambda: _update(services, install_id, schedule_id, given, if_match))


def _update(
    services: Services,
    install_id: InstallId,
    schedule_id: ScheduleId,
    given: ScheduleInput,
    if_match: frozenset[int] | None,
) -> Schedule:
    snapshot = services.schedules.read(install_id, schedule_id, name=wanted_name(given))
    install = managed(snapshot.install)
    if snapshot.schedule and snapshot.schedule.pending:
        settle_first(services, snapshot.schedule, "Schedule not updated")
    before = visible(snapshot.schedule)
    if before != before.under(install):
        follow_first(services, before, install, "Schedule not updated")
    if if_match is not None and before.revision not in if_match:
        raise PreconditionFailed
    now = services.clock()
    taken = snapshot.name_owner not in (None, schedule_id)
    rules = Rules(endpoints_of(services, install), services.limits, now, name_taken=taken)
    after = before.redefined(rules.redefine(before.definition, given), now)
    accepted = accept_write(install, services.limits, now)
    write(services, before, after, accept=accepted)
    if after.pending:
        failure = "Schedule not updated: the timer service is not available"
        carry_out(services, before, after, accepted, failure=failure)
    return after
