"""What the sweep mends: counts, names, suspensions, timers. Each look is taken again before a change."""

import logging
from collections import Counter

from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import Timer
from scheduling.operations.installs.propagate import follow
from scheduling.operations.services import Services
from scheduling.operations.sync.converge import converge
from scheduling.operations.sync.optimistic_writes import write
from scheduling.store.snapshots import Partition

logger = logging.getLogger(__name__)


def mend_names_and_count(
    services: Services, install_id: InstallId, partition: Partition, found: Counter[str]
) -> None:
    """Names and count of the install as its schedules say. Raises Conflict where they change meanwhile."""
    if partition.install is None:
        return
    count = sum(schedule.counted for schedule in partition.schedules)
    if count != partition.install.schedule_count:
        services.sweeps.recount(partition.install, count)
        _note(found, "count", install_id, f"{partition.install.schedule_count} -> {count}")
    _mend_names(services, install_id, partition, found)


def _mend_names(services: Services, install_id: InstallId, partition: Partition, found: Counter[str]) -> None:
    wanted = {name: schedule.id for schedule in partition.schedules for name in schedule.names}
    for name, owner in partition.names.items():
        if wanted.get(name) != owner and not _holds(services, install_id, owner, name):
            services.sweeps.own_name(install_id, name, None)
            _note(found, "dangling name", install_id, owner)
    for name, owner in wanted.items():
        if name not in partition.names and _holds(services, install_id, owner, name):
            services.sweeps.own_name(install_id, name, owner)
            _note(found, "missing name", install_id, owner)


def _holds(services: Services, install_id: InstallId, owner: ScheduleId, name: str) -> bool:
    schedule = services.schedules.read(install_id, owner).schedule
    return schedule is not None and name in schedule.names


def mend_suspension(
    services: Services, seen_install: Install | None, seen: Schedule, found: Counter[str]
) -> None:
    """The schedule suspended or not as its install is; while that changes, whoever changes it brings it after."""
    if seen_install is None or seen.suspended != seen_install.active:
        return
    install = services.schedules.read(seen.install_id).install
    if install is None or install.pending_since or seen.suspended != install.active:
        return
    follow(services, seen, install)
    _note(found, "suspension", seen.install_id, seen.id)


def mend_timer(services: Services, seen: Schedule, found: Counter[str]) -> None:
    """The schedule's timer as its row says; one whose row is pending is the reconciler's."""
    if _agrees(services, services.timers.get(seen.id), seen):
        return
    schedule = services.schedules.read(seen.install_id, seen.id).schedule
    if schedule is None or schedule.pending:
        return
    timer = services.timers.get(schedule.id)
    if _agrees(services, timer, schedule):
        return
    touched = schedule.touched(services.clock())
    write(services, schedule, touched)
    converge(services, touched, exists=timer is not None)
    kind = "missing timer" if timer is None else "different timer" if schedule.due else "unwanted timer"
    _note(found, kind, schedule.install_id, schedule.id)


def _agrees(services: Services, timer: Timer | None, schedule: Schedule) -> bool:
    return services.timers.matches(timer, schedule) if timer and schedule.due else not (timer or schedule.due)


def mend_timer_without_row(services: Services, schedule_id: ScheduleId, found: Counter[str]) -> None:
    """Remove the timer if no row has its id: a row is always written before its timer."""
    timer = services.timers.get(schedule_id)
    if timer is None:
        return
    if timer.install_id and services.schedules.read(timer.install_id, schedule_id).schedule:
        return
    services.timers.remove(schedule_id)
    _note(found, "orphaned timer", timer.install_id, schedule_id)


def _note(found: Counter[str], kind: str, install_id: InstallId | None, what: str) -> None:
    logger.warning("mended: %s of install %s: %s", kind, install_id, what)
    found[kind] += 1
