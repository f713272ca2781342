"""Bring all the schedules of an install after a change of it; both can be taken up again where they stopped."""

import logging
from dataclasses import replace
from functools import partial

from scheduling.domain.errors import InstallNotFound, Unavailable
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Life
from scheduling.operations.converge import converge, write
from scheduling.operations.ports import Conflict, TimerFailed
from scheduling.operations.services import Services

logger = logging.getLogger(__name__)


def apply_install(services: Services, install: Install) -> None:
    """Set or remove each timer as the install's `enabled` says; what fails is left to the reconciler."""
    try:
        for schedule in services.schedules.all(install.id):
            services.retry(partial(_apply, services, install.id, schedule.id))
        services.installs.replace(install, replace(install, pending_since=None))
    except (TimerFailed, Unavailable) as failed:
        logger.warning("timers of install %s left to the reconciler: %s", install.id, failed)
    except Conflict:
        logger.info("install %s was changed again meanwhile; that change is applied by its own", install.id)


def _apply(services: Services, install_id: InstallId, schedule_id: ScheduleId) -> None:
    snapshot = services.schedules.read(install_id, schedule_id)
    schedule = snapshot.schedule
    if schedule is None:
        return
    if schedule.due:
        touched = schedule.touched(services.clock())
        write(services, schedule, touched)
        schedule = touched
    if schedule.pending:
        converge(services, snapshot.install, schedule)


def delete_install(services: Services, install_id: InstallId) -> None:
    """Remove the install with every schedule, timer and name of it.

    Raises InstallNotFound, and Unavailable where it is not finished yet: the install is then gone for everyone,
    and the reconciler, or the same call again, removes what is left.
    """
    install = services.retry(lambda: _mark_deleting(services, install_id))
    try:
        for schedule in services.schedules.all(install_id):
            services.retry(partial(_remove, services, install_id, schedule.id))
        services.installs.replace(install, None)
    except (TimerFailed, Conflict) as failed:
        raise Unavailable("The install is being deleted; what is left of it follows shortly") from failed


def _mark_deleting(services: Services, install_id: InstallId) -> Install:
    install = services.schedules.read(install_id).install
    if install is None:
        raise InstallNotFound
    if install.deleting:
        return install
    marked = replace(
        install, deleting=True, generation=install.generation + 1, pending_since=services.clock()
    )
    services.installs.replace(install, marked)
    return marked


def _remove(services: Services, install_id: InstallId, schedule_id: ScheduleId) -> None:
    snapshot = services.schedules.read(install_id, schedule_id)
    schedule = snapshot.schedule
    if schedule is None:
        return
    if schedule.life is Life.ACTIVE:
        removed = schedule.removed(services.clock())
        write(services, schedule, removed)
        schedule = removed
    converge(services, snapshot.install, schedule)
