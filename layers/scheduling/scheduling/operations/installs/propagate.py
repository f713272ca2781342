"""Bring all the schedules of an install after a change of it; it goes on where it stopped."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NoReturn

from scheduling.domain.errors import Conflict, TimerFailed, Unavailable
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule, ScheduleState
from scheduling.operations.services import Services
from scheduling.operations.sync.converge import converge
from scheduling.operations.sync.optimistic_writes import write_schedule

logger = logging.getLogger(__name__)
_ScheduleStep = Callable[[Services, InstallId, ScheduleId], object]


def propagate_install(services: Services, install: Install) -> None:
    """Suspend, resume or disable each schedule as the install says, and its timer with it.

    Raises Unavailable where some could not be; the install then stays marked as pending.
    """
    for_each_schedule(services, services.schedules.read_all_schedules(install.id), propagate_or_converge)
    try:
        services.installs.replace_install(
            install, replace(install, pending_since=None, removed_endpoints=frozenset())
        )
    except Conflict:
        logger.info("install %s was changed again meanwhile, and that change is applied apart", install.id)


def try_propagate(services: Services, install: Install) -> None:
    """Like `apply_install`; what could not be done is the reconciler's.

    The change is made, and no schedule is run that it stops; only timers may be late.
    """
    try:
        propagate_install(services, install)
    except Unavailable as error:
        logger.warning("schedules of install %s are left to the reconciler: %s", install.id, error)


def propagate_or_converge(services: Services, install_id: InstallId, schedule_id: ScheduleId) -> None:
    """Make the schedule, and with it its timer, be as the install's newest change says."""
    schedule = services.schedules.read_schedule(install_id, schedule_id).schedule
    install = services.schedules.read_schedule(install_id).install  # after the schedule, lest it be older
    if schedule is None or install is None:
        return
    if schedule.state is ScheduleState.ACTIVE and schedule.propagated_generation < install.generation:
        propagate_to_schedule(services, schedule, install)
    elif schedule.pending:
        converge(services, schedule)


def propagate_to_schedule(services: Services, schedule: Schedule, install: Install) -> None:
    """Make the schedule as read be as the install as read says."""
    after = schedule.with_install_propagated(install, services.clock())
    write_schedule(services, schedule, after)
    converge(services, after)


def finish_propagation(services: Services, schedule: Schedule, install: Install, failure: str) -> NoReturn:
    """Bring the schedule after its install before a change is built on it; then raises Conflict: read again.

    Raises Unavailable with the text `failure` where EventBridge does not answer.
    """
    try:
        propagate_to_schedule(services, schedule, install)
    except TimerFailed as error:
        raise Unavailable(f"{failure}: a change of its install is not finished") from error
    raise Conflict


def for_each_schedule(services: Services, schedules: Sequence[Schedule], step: _ScheduleStep) -> None:
    """Take the step for every schedule, also after some have failed. Raises Unavailable if any has."""
    errors = []
    for schedule in schedules:
        try:
            services.retry(partial(step, services, schedule.install_id, schedule.id))
        except (TimerFailed, Unavailable) as error:
            logger.warning("schedule %s is not done yet: %s", schedule.id, error)
            errors.append(error)
    if errors:
        raise Unavailable(
            f"{len(errors)} timers of the install are not changed yet; they follow shortly"
        ) from errors[0]
