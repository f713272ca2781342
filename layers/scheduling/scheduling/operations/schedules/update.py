"""Update a schedule."""

from datetime import datetime

from scheduling.domain.deliveries.firing import as_read
from scheduling.domain.errors import NameTaken
from scheduling.domain.ids import HOST_API, InstallId, ScheduleId
from scheduling.domain.install import Install, check_quota, reserve_write
from scheduling.domain.rules import ScheduleInput, ScheduleRules, requested_name
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.propagate import finish_propagation
from scheduling.operations.schedules.input_rules import read_rules
from scheduling.operations.schedules.queries import (
    require_manageable_install,
    require_revision,
    require_visible,
)
from scheduling.operations.services import Services, retry_on_conflict
from scheduling.operations.sync.converge import apply_or_rollback, finish_pending_change
from scheduling.operations.sync.optimistic_writes import write_schedule


@retry_on_conflict
def update_schedule(
    services: Services,
    install_id: InstallId,
    schedule_id: ScheduleId,
    schedule_input: ScheduleInput,
    *,
    if_match: frozenset[int] | None = None,
    actor: str = HOST_API,
) -> Schedule:
    """Set the fields of the input, and the timer with them; with `if_match`, only at one of these revisions.

    Raises:
        InstallNotFound: The install is absent, being deleted, or, for its extension, disabled.
        CapabilityDenied: The install may not have schedules.
        ScheduleNotFound: The schedule is absent or another install's.
        PreconditionFailed: The schedule has another revision.
        ValidationFailed: Fields break rules.
        NameTaken: Another schedule of the install has the name.
        RateLimited: The extension has written too often; an admin never has.
        Unavailable: A system does not respond; nothing is changed, as with the others.
    """
    snapshot = services.schedules.read_snapshot_with_payload(
        install_id, schedule_id, name=requested_name(schedule_input)
    )
    install = require_manageable_install(services, snapshot.install, actor)
    before = _require_synced(services, install, snapshot.schedule)
    require_revision(before, if_match)
    now = services.clock()
    rules = read_rules(
        services, install, now, actor, name_taken=snapshot.name_owner not in (None, schedule_id)
    )
    after = _apply_input(rules, before, schedule_input, now, actor)
    if after.counts_toward_quota and not before.counts_toward_quota:
        _check_name_and_quota(services, install, after)
    reservation = reserve_write(install, services.limits, now, actor)
    write_schedule(services, before, after, reserve=reservation)
    if after.pending:
        failure = "Schedule not updated: the timer service is not available"
        after = apply_or_rollback(services, before, after, reservation, failure=failure)
    return as_read(after, install, now)


def _apply_input(
    rules: ScheduleRules, before: Schedule, schedule_input: ScheduleInput, now: datetime, actor: str
) -> Schedule:
    definition = rules.update_definition(
        before.definition, schedule_input, recheck_rule=before.unreadable is not None
    )
    return before.with_definition(definition, now, actor)


def _require_synced(services: Services, install: Install, schedule: Schedule | None) -> Schedule:
    """Return the schedule once earlier changes of it and of its install are applied."""
    if schedule and schedule.pending:
        finish_pending_change(services, schedule, "Schedule not updated")
    visible_schedule = require_visible(services, schedule)
    if visible_schedule != visible_schedule.with_install_applied(install):
        finish_propagation(services, visible_schedule, install, "Schedule not updated")
    return visible_schedule


def _check_name_and_quota(services: Services, install: Install, schedule: Schedule) -> None:
    """Check that a completed schedule, whose name and place were free, can have them again."""
    check_quota(install, services.limits)
    name = schedule.definition.name
    if name and services.schedules.read_snapshot(install.id, name=name).name_owner:
        raise NameTaken
