"""Finish what a function that died, or a system that did not answer, left unfinished."""

import logging
import time
from dataclasses import dataclass
from datetime import timedelta

from scheduling.domain.errors import TimerFailed, Unavailable
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.operations.installs.propagate import apply_install
from scheduling.operations.installs.tenants import follow_tenant
from scheduling.operations.installs.uninstall import finish_deletion
from scheduling.operations.services import PENDING_GRACE, Services
from scheduling.operations.sync.converge import converge
from scheduling.store.snapshots import PendingItem

logger = logging.getLogger(__name__)

BATCH = 200
SECONDS = 15.0
"""Bounds of one call, which leave the slowest item time to end within the function's."""

PATIENCE = 5
"""So many items for which a system did not answer, and the rest is left to the next call: it needs a rest."""


@dataclass(frozen=True, slots=True)
class Report:
    """How many pending items were settled, how many are left for the next call, and how long the oldest was pending."""

    settled: int
    failed: int
    oldest: timedelta


def reconcile(services: Services) -> Report:
    """Settle every row, up to 200, that has been pending for longer than any function may take."""
    deadline = time.monotonic() + SECONDS
    settled = failed = unanswered = 0
    now = oldest = services.clock()
    for item in services.schedules.pending(now - PENDING_GRACE, BATCH):
        if time.monotonic() > deadline or unanswered == PATIENCE:
            break
        oldest = min(oldest, item.since)
        try:
            _settle(services, item)
            settled += 1
        except Exception as error:  # one row that cannot be settled must not hold up the others
            logger.exception("%s is still pending", item)
            failed += 1
            unanswered += _unanswered(error)
    return Report(settled, failed, now - oldest)


def _unanswered(error: Exception) -> bool:
    return isinstance(error, Unavailable) or (isinstance(error, TimerFailed) and not error.refused)


def _settle(services: Services, item: PendingItem) -> None:
    if item.tenant_id is not None:
        follow_tenant(services, services.tenants.read(item.tenant_id))
    elif item.install_id is not None and item.schedule_id is not None:
        _settle_schedule(services, item.install_id, item.schedule_id)
    elif item.install_id is not None:
        _settle_install(services, item.install_id)


def _settle_schedule(services: Services, install_id: InstallId, schedule_id: ScheduleId) -> None:
    schedule = services.schedules.read(install_id, schedule_id).schedule
    if schedule and schedule.pending:
        converge(services, schedule)


def _settle_install(services: Services, install_id: InstallId) -> None:
    install = services.schedules.read(install_id).install
    if install is None or install.pending_since is None:
        return
    if install.deleting:
        finish_deletion(services, install)
    else:
        apply_install(services, install)
