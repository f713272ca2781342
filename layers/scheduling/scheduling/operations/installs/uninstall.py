"""Delete an install with all that belongs to it; an interrupted deletion can be resumed."""

from functools import partial

from scheduling.domain.errors import Conflict, InstallNotFound, Unavailable
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import ScheduleState
from scheduling.operations.installs.propagate import for_each_schedule
from scheduling.operations.services import Services, retry_on_conflict
from scheduling.operations.sync.converge import converge
from scheduling.operations.sync.optimistic_writes import write_install, write_schedule


def delete_install(services: Services, install_id: InstallId, *, actor: str) -> None:
    """Delete the install with all its schedules, timers and names.

    Raises:
        InstallNotFound: There is no such install.
        Unavailable: The deletion is not finished. Nobody can use the install any more, and the reconciler, or the
            same call again, deletes the rest.
    """
    install = _mark_deleting(services, install_id, actor)
    try:
        finish_deletion(services, install)
    except Unavailable as error:
        raise Unavailable("The install is being deleted; what is left of it follows shortly") from error


def finish_deletion(services: Services, install: Install) -> None:
    """Delete the rest of an install that is marked as deleted.

    Others may do the same meanwhile, and register a new install under its id, of which nothing is deleted.

    Raises:
        Unavailable: Something could not be deleted.
    """
    schedules = services.schedules.read_all_schedules(install.id)
    # After the schedules, so that they are not those of a new install.
    current = services.installs.read_install(install.id)
    if current is None or current.generation != install.generation:
        return
    for_each_schedule(services, schedules, partial(_delete_schedule_and_timer, actor=install.changed_by))
    try:
        services.installs.delete_remaining_rows(install)
        services.installs.replace_install(install, None)
    except Conflict as conflict:
        current = services.installs.read_install(install.id)
        if current is not None and current.deleting:
            raise Unavailable("A schedule of the install is still being changed") from conflict


@retry_on_conflict
def _mark_deleting(services: Services, install_id: InstallId, actor: str) -> Install:
    install = services.installs.read_install(install_id)
    if install is None:
        raise InstallNotFound
    services.bind_install(install)
    if install.deleting:
        return install
    after = install.with_changes(actor, deleting=True, pending_since=services.clock())
    write_install(services, install, after, partial(services.installs.replace_install, install, after))
    return after


@retry_on_conflict
def _delete_schedule_and_timer(
    services: Services, install_id: InstallId, schedule_id: ScheduleId, *, actor: str
) -> None:
    schedule = services.schedules.read_snapshot(install_id, schedule_id).schedule
    if schedule is None:
        return
    if schedule.state is ScheduleState.ACTIVE:
        after = schedule.marked_deleted(services.clock(), actor)
        write_schedule(services, schedule, after)
        schedule = after
    converge(services, schedule)
