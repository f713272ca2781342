"""Remove an install with all that it has; it can be taken up again where it stopped."""

from functools import partial

from scheduling.domain.errors import Conflict, InstallNotFound, Unavailable
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Life
from scheduling.operations.installs.propagate import each_schedule
from scheduling.operations.services import Services
from scheduling.operations.sync.converge import converge
from scheduling.operations.sync.optimistic_writes import write, write_install


def delete_install(services: Services, install_id: InstallId, *, by: str) -> None:
    """Remove the install with every schedule, timer and name of it.

    Raises InstallNotFound, and Unavailable where it is not finished yet: the install is then gone for everyone,
    and the reconciler, or the same call again, removes what is left.
    """
    install = services.retry(lambda: _mark_deleting(services, install_id, by))
    try:
        finish_deletion(services, install)
    except Unavailable as failed:
        raise Unavailable("The install is being deleted; what is left of it follows shortly") from failed


def finish_deletion(services: Services, install: Install) -> None:
    """Remove what is left of an install that is marked as deleted. Raises Unavailable where some could not be.

    Others may do the same, and register an install anew under its id meanwhile: nothing of that one is touched.
    """
    schedules = services.schedules.all(install.id)
    current = services.schedules.read(install.id).install  # after the schedules, lest they be another's
    if current is None or current.generation != install.generation:
        return
    each_schedule(services, schedules, partial(_remove, by=install.changed_by))
    try:
        services.installs.clear(install)
        services.installs.replace(install, None)
    except Conflict as conflict:
        current = services.schedules.read(install.id).install
        if current is not None and current.deleting:
            raise Unavailable("A schedule of the install is still being changed") from conflict


def _mark_deleting(services: Services, install_id: InstallId, by: str) -> Install:
    install = services.schedules.read(install_id).install
    if install is None:
        raise InstallNotFound
    if install.deleting:
        return install
    marked = install.changed(by, deleting=True, pending_since=services.clock())
    write_install(services, install, marked, partial(services.installs.replace, install, marked))
    return marked


def _remove(services: Services, install_id: InstallId, schedule_id: ScheduleId, *, by: str) -> None:
    schedule = services.schedules.read(install_id, schedule_id).schedule
    if schedule is None:
        return
    if schedule.life is Life.ACTIVE:
        removed = schedule.removed(services.clock(), by)
        write(services, schedule, removed)
        schedule = removed
    converge(services, schedule)
