"""Finish what a function that died, or a system that did not respond, has left unfinished."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from scheduling.domain.errors import TimerFailed, Unavailable, UnreadableItem
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.operations.installs.propagate import propagate_install
from scheduling.operations.installs.tenants import propagate_tenant
from scheduling.operations.installs.uninstall import finish_deletion
from scheduling.operations.services import Services
from scheduling.operations.sync.converge import PENDING_GRACE, converge
from scheduling.store.snapshots import PendingItem, unreadable_schedule

logger = logging.getLogger(__name__)

BATCH_SIZE = 200
TIME_BUDGET = 15.0
"""Bounds of one call, in items and seconds; the slowest item can still end within the function's time-out."""

MAX_UNANSWERED = 5
"""Items without a response from a system after which the call ends, to relieve that system; the next one goes on."""


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """How many pending items were synced, how many were not, and how long the oldest one has been pending."""

    synced: int
    failed: int
    oldest_age: timedelta


def reconcile(services: Services) -> ReconcileReport:
    """Finish every row, up to 200, that has been pending for longer than any function runs."""
    deadline = services.monotonic() + TIME_BUDGET
    synced = failed = unanswered = 0
    now = oldest_since = services.clock()
    for item in services.schedules.read_pending_items(now - PENDING_GRACE, BATCH_SIZE):
        if services.monotonic() > deadline or unanswered == MAX_UNANSWERED:
            break
        oldest_since = min(oldest_since, item.pending_since or oldest_since)
        try:
            _sync_pending_item(services, item)
            synced += 1
        except Exception as error:  # one row that cannot be synced must not block the others
            logger.exception("%s is still pending", item)
            failed += 1
            unanswered += _is_unanswered(error)
    return ReconcileReport(synced, failed, now - oldest_since)


def _is_unanswered(error: Exception) -> bool:
    return isinstance(error, Unavailable) or (isinstance(error, TimerFailed) and not error.refused)


def _sync_pending_item(services: Services, item: PendingItem) -> None:
    if item.tenant_id is not None:
        propagate_tenant(services, services.tenants.read_tenant(item.tenant_id))
    elif item.install_id is not None and item.schedule_id is not None:
        _sync_schedule(services, item.install_id, item.schedule_id)
    elif item.install_id is not None:
        _sync_install(services, item.install_id)


def _sync_schedule(services: Services, install_id: InstallId, schedule_id: ScheduleId) -> None:
    schedule = services.schedules.read_snapshot(install_id, schedule_id).schedule
    if schedule and schedule.unreadable:
        services.report_unreadable(unreadable_schedule(schedule))
    if schedule and schedule.pending:
        converge(services, schedule)


def _sync_install(services: Services, install_id: InstallId) -> None:
    install = services.installs.read_install(install_id)
    if install and install.unreadable:
        services.report_unreadable(UnreadableItem("install", install.id, install.unreadable))
    if install is None or install.pending_since is None:
        return
    if install.deleting:
        finish_deletion(services, install)
    else:
        propagate_install(services, install)
