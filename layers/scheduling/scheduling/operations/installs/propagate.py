"""Propagate a change of an install to its schedules; an interrupted propagation can be resumed."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NoReturn

from scheduling.domain.errors import Conflict, TimerFailed, Unavailable
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule, ScheduleState
from scheduling.operations.services import Services, retry_on_conflict
from scheduling.operations.sync.completion import record_paused_run
from scheduling.operations.sync.converge import converge
from scheduling.operations.sync.optimistic_writes import write_schedule

logger = logging.getLogger(__name__)
_ScheduleStep = Callable[[Services, InstallId, ScheduleId], object]


def propagate_install(services: Services, install: Install) -> None:
    """Suspend, resume or disable each schedule, and its timer, as the state of the install requires.

    Raises:
        Unavailable: Some schedules could not be changed; the install stays marked as pending.
    """
    for_each_schedule(services, services.schedules.read_all_schedules(install.id), propagate_or_converge)
    try:
        services.installs.replace_install(
            install, replace(install, pending_since=None, removed_endpoints=frozenset())
        )
    except Conflict:
        logger.info(
            "install %s was changed again meanwhile; that change is propagated separately", install.id
        )


def try_propagate(services: Services, install: Install) -> None:
    """Propagate like `propagate_install`, but leave to the reconciler what could not be changed.

    The install has been changed already, and no schedule that the change stops is run; only timers may be late.
    """
    try:
        propagate_install(services, install)
    except Unavailable as error:
        logger.warning("schedules of install %s are left to the reconciler: %s", install.id, error)
    except Exception:  # one install must not block the others of its tenant
        logger.exception("schedules of install %s are left to the reconciler", install.id)


@retry_on_conflict
def propagate_or_converge(services: Services, install_id: InstallId, schedule_id: ScheduleId) -> None:
    """Bring the schedule, and its timer, to the install's newest change."""
    schedule = services.schedules.read_snapshot(install_id, schedule_id).schedule
    install = services.installs.read_install(install_id)  # after the schedule, so that it is not older
    if schedule is None or install is None:
        return
    if schedule.state is ScheduleState.ACTIVE and schedule.propagated_generation < install.generation:
        propagate_to_schedule(services, schedule, install)
    elif schedule.pending:
        converge(services, schedule)


def propagate_to_schedule(services: Services, schedule: Schedule, install: Install) -> None:
    """Bring the schedule, and its timer, to the state of the install; both are as they were read."""
    now = services.clock()
    if install.active:
        schedule = record_paused_run(services, schedule, now)
    after = schedule.with_install_propagated(install, now)
    write_schedule(services, schedule, after)
    converge(services, after)


def finish_propagation(services: Services, schedule: Schedule, install: Install, failure: str) -> NoReturn:
    """Propagate the install's change to the schedule before another change is based on it.

    Raises:
        Conflict: The change is propagated; read the schedule again.
        Unavailable: EventBridge does not respond; the text begins with `failure`.
    """
    try:
        propagate_to_schedule(services, schedule, install)
    except TimerFailed as error:
        raise Unavailable(f"{failure}: a change of its install is not finished") from error
    raise Conflict


def for_each_schedule(services: Services, schedules: Sequence[Schedule], step: _ScheduleStep) -> None:
    """Take the step for every schedule, also after it has failed for some.

    Raises:
        Unavailable: The step has failed for at least one.
    """
    errors: list[Exception] = []
    for schedule in schedules:
        try:
            step(services, schedule.install_id, schedule.id)
        except (TimerFailed, Unavailable) as error:
            logger.warning("schedule %s is not changed yet: %s", schedule.id, error)
            errors.append(error)
        except Exception as error:  # one schedule that cannot be changed must not block the others
            logger.exception("schedule %s is not changed", schedule.id)
            errors.append(error)
    if errors:
        raise Unavailable(
            f"{len(errors)} timers of the install are not changed yet; they follow shortly"
        ) from errors[0]
