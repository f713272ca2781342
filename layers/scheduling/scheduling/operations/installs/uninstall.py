"""Remove an install with all that it has; it can be taken up again where it stopped."""

from functools import partial

from scheduling.domain.errors import Conflict, InstallNotFound, Unavailable
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import ScheduleState
from scheduling.operations.installs.propagate import for_each_schedule
from scheduling.operations.services import Services
from scheduling.operations.sync.converge import converge
from scheduling.operations.sync.optimistic_writes import write_install, write_schedule


def delete_install(services: Services, install_id: InstallId, *, actor: str) -> None:
    """Remove the install with every schedule, timer and name of it.

    Raises InstallNotFound, and Unavailable where it is not finished yet: the install is then gone for everyone,
    and the reconciler, or the same call again, removes what is left.
    """
    install = services.retry(lambda: _mark_deleting(services, install_id, actor))
    try:
        finish_deletion(services, install)
    except Unavailable as error:
        raise Unavailable("The install is being deleted; what is left of it follows shortly") from error


def finish_deletion(services: Services, install: Install) -> None:
    """Remove what is left of an install that is marked as deleted. Raises Unavailable where some could not be.

    Others may do the same, and register an install anew under its id meanwhile: nothing of that one is touched.
    """
    schedules = services.schedules.read_all_schedules(install.id)
    current = services.schedules.read_schedule(
        install.id
    ).install  # after the schedules, lest they be another's
    if current is None or current.generation != install.generation:
        return
    for_each_schedule(services, schedules, partial(_delete_schedule_and_timer, actor=install.changed_by))
    try:
        services.installs.delete_idempotency_records(install)
        services.installs.replace_install(install, None)
    except Conflict as conflict:
        current = services.schedules.read_schedule(install.id).install
        if current is not None and current.deleting:
            raise Unavailable("A schedule of the install is still being changed") from conflict


def _mark_deleting(services: Services, install_id: InstallId, actor: str) -> Install:
    install = services.schedules.read_schedule(install_id).install
    if install is None:
        raise InstallNotFound
    if install.deleting:
        return install
    after = install.with_changes(actor, deleting=True, pending_since=services.clock())
    write_install(services, install, after, partial(services.installs.replace_install, install, after))
    return after


def _delete_schedule_and_timer(
    services: Services, install_id: InstallId, schedule_id: ScheduleId, *, actor: str
) -> None:
    schedule = services.schedules.read_schedule(install_id, schedule_id).schedule
    if schedule is None:
        return
    if schedule.state is ScheduleState.ACTIVE:
        after = schedule.marked_deleted(services.clock(), actor)
        write_schedule(services, schedule, after)
        schedule = after
    converge(services, schedule)
