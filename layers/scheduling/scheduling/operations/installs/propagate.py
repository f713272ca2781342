"""Bring all the schedules of an install after a change of it; it goes on where it stopped."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NoReturn

from scheduling.domain.errors import Conflict, TimerFailed, Unavailable
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Life, Schedule
from scheduling.operations.services import Services
from scheduling.operations.sync.converge import converge
from scheduling.operations.sync.optimistic_writes import write

logger = logging.getLogger(__name__)
_Step = Callable[[Services, InstallId, ScheduleId], object]


def apply_install(services: Services, install: Install) -> None:
    """Suspend, resume or disable each schedule as the install says, and its timer with it.

    Raises Unavailable where some could not be; the install then stays marked as pending.
    """
    each_schedule(services, services.schedules.all(install.id), follow_install)
    try:
        services.installs.replace(install, replace(install, pending_since=None, dropped=frozenset()))
    except Conflict:
        logger.info("install %s was changed again meanwhile, and that change is applied apart", install.id)


def apply_or_leave(services: Services, install: Install) -> None:
    """Like `apply_install`; what could not be done is the reconciler's.

    The change is made, and no schedule is run that it stops; only timers may be late.
    """
    try:
        apply_install(services, install)
    except Unavailable as failed:
        logger.warning("schedules of install %s are left to the reconciler: %s", install.id, failed)


def follow_install(services: Services, install_id: InstallId, schedule_id: ScheduleId) -> None:
    """Make the schedule, and with it its timer, be as the install's newest change says."""
    schedule = services.schedules.read(install_id, schedule_id).schedule
    install = services.schedules.read(install_id).install  # after the schedule, lest it be older
    if schedule is None or install is None:
        return
    if schedule.life is Life.ACTIVE and schedule.followed < install.generation:
        follow(services, schedule, install)
    elif schedule.pending:
        converge(services, schedule)


def follow(services: Services, schedule: Schedule, install: Install) -> None:
    """Make the schedule as read be as the install as read says."""
    after = schedule.following(install, services.clock())
    write(services, schedule, after)
    converge(services, after)


def follow_first(services: Services, schedule: Schedule, install: Install, failure: str) -> NoReturn:
    """Bring the schedule after its install before a change is built on it; then raises Conflict: read again.

    Raises Unavailable with the text `failure` where EventBridge does not answer.
    """
    try:
        follow(services, schedule, install)
    except TimerFailed as failed:
        raise Unavailable(f"{failure}: a change of its install is not finished") from failed
    raise Conflict


def each_schedule(services: Services, schedules: Sequence[Schedule], step: _Step) -> None:
    """Take the step for every schedule, also after some have failed. Raises Unavailable if any has."""
    failures = []
    for schedule in schedules:
        try:
            services.retry(partial(step, services, schedule.install_id, schedule.id))
        except (TimerFailed, Unavailable) as failed:
            logger.warning("schedule %s is not done yet: %s", schedule.id, failed)
            failures.append(failed)
    if failures:
        raise Unavailable(
            f"{len(failures)} timers of the install are not changed yet; they follow shortly"
        ) from failures[0]
