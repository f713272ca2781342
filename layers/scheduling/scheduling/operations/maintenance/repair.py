"""The repairs of the sweep: counts, names, suspensions, timers. Each one reads its row again before it changes it."""

import logging
from collections import Counter

from scheduling.domain.audit.finds import TimerFind, create_find
from scheduling.domain.errors import Conflict, UnconfirmedChange, UnreadableItem
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import TimerSnapshot, find_timer_differences
from scheduling.operations.installs.propagate import propagate_to_schedule
from scheduling.operations.services import Services
from scheduling.operations.sync.converge import converge
from scheduling.operations.sync.optimistic_writes import apply_schedule_write
from scheduling.store.snapshots import IndexRepair, InstallPartition

logger = logging.getLogger(__name__)


def repair_names_and_count(
    services: Services, install_id: InstallId, partition: InstallPartition, repairs: Counter[str]
) -> None:
    """Make the names and the count of the install match its schedules.

    Raises:
        Conflict: They have changed meanwhile.
    """
    if partition.install is None:
        return
    count = sum(schedule.counts_toward_quota for schedule in partition.schedules)
    if count != partition.install.schedule_count:
        services.sweeps.save_schedule_count(partition.install, count)
        _record_repair(repairs, "count", install_id, f"{partition.install.schedule_count} -> {count}")
    _repair_names(services, install_id, partition, repairs)


def _repair_names(
    services: Services, install_id: InstallId, partition: InstallPartition, repairs: Counter[str]
) -> None:
    expected_owners = {
        name: schedule.id for schedule in partition.schedules for name in schedule.reserved_names
    }
    for name, owner in partition.name_owners.items():
        if expected_owners.get(name) != owner and not _holds_name(services, install_id, owner, name):
            services.sweeps.delete_name_owner(install_id, name, owner)
            _record_repair(repairs, "dangling name", install_id, owner)
    for name, owner in expected_owners.items():
        if name not in partition.name_owners and _holds_name(services, install_id, owner, name):
            services.sweeps.add_name_owner(install_id, name, owner)
            _record_repair(repairs, "missing name", install_id, owner)


def repair_payloads(
    services: Services, install_id: InstallId, partition: InstallPartition, repairs: Counter[str]
) -> None:
    """Delete the payloads that no schedule names.

    Raises:
        Conflict: A schedule names one meanwhile.
    """
    for schedule_id in partition.orphaned_payloads:
        services.sweeps.delete_orphaned_payload(install_id, schedule_id)
        _record_repair(repairs, "orphaned payload", install_id, schedule_id)


def repair_index_entry(services: Services, repair: IndexRepair, repairs: Counter[str]) -> None:
    """Put a row into the index of what is unhealthy, or remove it: one of an earlier release, or edited by somebody.

    Raises:
        Conflict: The row has changed meanwhile.
    """
    services.sweeps.repair_index(repair, services.clock())
    _record_repair(repairs, "index", None, repair.item_id)


def repair_tenant_index(services: Services, install: Install | None, repairs: Counter[str]) -> None:
    """Put the paused tenant of an install into that index; the others are not read."""
    if install is None or install.unreadable or not install.paused:
        return
    repair = services.sweeps.read_tenant_repair(install.tenant_id)
    if repair:
        repair_index_entry(services, repair, repairs)


def _holds_name(services: Services, install_id: InstallId, owner: ScheduleId, name: str) -> bool:
    schedule = services.schedules.read_snapshot(install_id, owner).schedule
    return schedule is not None and name in schedule.reserved_names


def repair_suspension(
    services: Services, install_snapshot: Install | None, schedule_snapshot: Schedule, repairs: Counter[str]
) -> None:
    """Suspend or resume the schedule as its install requires; an unfinished change of the install propagates itself."""
    if install_snapshot is None or schedule_snapshot.suspended != install_snapshot.active:
        return
    if install_snapshot.unreadable:  # what it requires is not known, and none of its schedules runs
        return
    install = services.installs.read_install(schedule_snapshot.install_id)
    if install is None or install.pending_since or schedule_snapshot.suspended != install.active:
        return
    propagate_to_schedule(services, schedule_snapshot, install)
    _record_repair(repairs, "suspension", schedule_snapshot.install_id, schedule_snapshot.id)


def repair_tenant(
    services: Services, install: Install | None, schedule: Schedule, repairs: Counter[str]
) -> None:
    """Make the schedule name the tenant of its install, which never changes while both can be read."""
    if install is None or install.unreadable or schedule.tenant_id == install.tenant_id:
        return
    services.sweeps.save_tenant(schedule, install.tenant_id)
    _record_repair(repairs, "tenant", schedule.install_id, schedule.id)


def repair_timer(services: Services, schedule_snapshot: Schedule, repairs: Counter[str]) -> None:
    """Make the schedule's timer match its row; a pending row is left to the reconciler."""
    now = services.clock()
    snapshot = services.timers.get_timer(schedule_snapshot.id)
    if not find_timer_differences(snapshot, schedule_snapshot, services.limits, now):
        return
    schedule = services.schedules.read_snapshot(schedule_snapshot.install_id, schedule_snapshot.id).schedule
    if schedule is None or schedule.pending:
        return
    timer = services.timers.get_timer(schedule.id)
    differences = find_timer_differences(timer, schedule, services.limits, now)
    if not differences:
        return
    pending_schedule = schedule.marked_pending(now)
    if not _save_find(services, schedule, pending_schedule, create_find(schedule, differences, now)):
        repairs["unkept find"] += 1
    converge(services, pending_schedule, exists=timer is not None)
    _record_repair(repairs, _describe_timer_repair(timer, schedule), schedule.install_id, schedule.id)


def _save_find(services: Services, schedule: Schedule, pending_schedule: Schedule, find: TimerFind) -> bool:
    """Mark the schedule as pending and keep the find, both or neither, so that each repair has one find.

    Where the find cannot be kept, the timer is repaired all the same, and False is returned.

    Raises:
        Conflict: The schedule has changed meanwhile, or another sweep repairs it.
    """

    def mark(kept_find: TimerFind | None) -> None:
        apply_schedule_write(
            services,
            schedule,
            pending_schedule,
            lambda: services.sweeps.save_find(schedule, pending_schedule, kept_find),
        )

    try:
        mark(find)
    except (Conflict, UnconfirmedChange):
        raise
    except Exception:
        logger.exception("the find about the timer of %s is not kept: %s", schedule.id, find.differences)
        mark(None)
        return False
    return True


def _describe_timer_repair(timer: TimerSnapshot | None, schedule: Schedule) -> str:
    if timer is None:
        return "missing timer"
    return "different timer" if schedule.should_have_timer else "unwanted timer"


def delete_orphaned_timer(services: Services, schedule_id: ScheduleId, repairs: Counter[str]) -> None:
    """Delete the timer if no row has its id: a row is always written before its timer."""
    timer = services.timers.get_timer(schedule_id)
    if timer is None:
        return
    if timer.unreadable:
        report_unreadable(services, UnreadableItem("timer", schedule_id, timer.unreadable), repairs)
    if timer.install_id and services.schedules.read_snapshot(timer.install_id, schedule_id).schedule:
        return
    services.timers.delete_timer(schedule_id)
    _record_repair(repairs, "orphaned timer", timer.install_id, schedule_id)


def report_unreadable(services: Services, item: UnreadableItem, repairs: Counter[str]) -> None:
    """Report an item that the sweep cannot use, and count it with the repairs."""
    services.report_unreadable(item)
    repairs["unreadable"] += 1


def _record_repair(repairs: Counter[str], kind: str, install_id: InstallId | None, detail: str) -> None:
    logger.warning("repaired: %s of install %s: %s", kind, install_id, detail)
    repairs[kind] += 1
