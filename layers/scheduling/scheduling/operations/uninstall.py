"""Bring all the schedules of an install after a change of it; each can be taken up again where it stopped."""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from scheduling.domain.errors import InstallNotFound, Unavailable
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Life
from scheduling.operations.changing import write, write_install
from scheduling.operations.converge import converge
from scheduling.operations.ports import Conflict, TimerFailed
from scheduling.operations.services import Services

logger = logging.getLogger(__name__)
_Step = Callable[[Services, InstallId, ScheduleId], object]


def apply_install(services: Services, install: Install) -> None:
    """Set or remove each timer as the install's `enabled` says.

    Raises Unavailable where some could not be; the install then stays marked as pending.
    """
    _each_schedule(services, install.id, follow_install)
    try:
        services.installs.replace(install, replace(install, pending_since=None))
    except Conflict:
        logger.info("install %s was changed again meanwhile, and that change is applied apart", install.id)


def follow_install(services: Services, install_id: InstallId, schedule_id: ScheduleId) -> bool:
    """Make the schedule, and with it its timer, suspended or not as the install is; whether it was otherwise.

    One that is already so is written too: whoever has read the install before it changed may be about to write.
    """
    schedule = services.schedules.read(install_id, schedule_id).schedule
    install = services.schedules.read(install_id).install  # after the schedule, lest it be older
    if schedule is None or install is None:
        return False
    differs = schedule.suspended == install.active
    if schedule.life is Life.ACTIVE:
        changed = schedule.with_install(enabled=install.active, now=services.clock())
        write(services, schedule, changed)
        schedule = changed
    if schedule.pending:
        converge(services, schedule)
    return differs


def delete_install(services: Services, install_id: InstallId) -> None:
    """Remove the install with every schedule, timer and name of it.

    Raises InstallNotFound, and Unavailable where it is not finished yet: the install is then gone for everyone,
    and the reconciler, or the same call again, removes what is left.
    """
    install = services.retry(lambda: _mark_deleting(services, install_id))
    try:
        finish_deletion(services, install)
    except Unavailable as failed:
        raise Unavailable("The install is being deleted; what is left of it follows shortly") from failed


def finish_deletion(services: Services, install: Install) -> None:
    """Remove what is left of an install that is marked as deleted. Raises Unavailable where some could not be."""
    _each_schedule(services, install.id, _remove)
    services.installs.clear(install.id)
    try:
        services.installs.replace(install, None)
    except Conflict as conflict:
        current = services.schedules.read(install.id).install
        if current is not None and current.deleting:
            raise Unavailable("A schedule of the install is still being changed") from conflict


def _mark_deleting(services: Services, install_id: InstallId) -> Install:
    install = services.schedules.read(install_id).install
    if install is None:
        raise InstallNotFound
    if install.deleting:
        return install
    marked = replace(
        install, deleting=True, generation=install.generation + 1, pending_since=services.clock()
    )
    write_install(services, marked, partial(services.installs.replace, install, marked))
    return marked


def _remove(services: Services, install_id: InstallId, schedule_id: ScheduleId) -> None:
    schedule = services.schedules.read(install_id, schedule_id).schedule
    if schedule is None:
        return
    if schedule.life is Life.ACTIVE:
        removed = schedule.removed(services.clock())
        write(services, schedule, removed)
        schedule = removed
    converge(services, schedule)


def _each_schedule(services: Services, install_id: InstallId, step: _Step) -> None:
    """Take the step for every schedule, also after some have failed. Raises Unavailable if any has."""
    failures = []
    for schedule in services.schedules.all(install_id):
        try:
            services.retry(partial(step, services, install_id, schedule.id))
        except (TimerFailed, Unavailable) as failed:
            logger.warning("schedule %s is not done yet: %s", schedule.id, failed)
            failures.append(failed)
    if failures:
        raise Unavailable(
            f"{len(failures)} timers of the install are not changed yet; they follow shortly"
        ) from failures[0]
