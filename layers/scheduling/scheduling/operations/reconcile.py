"""Finish what a function that died, or a system that did not answer, left unfinished."""

import logging
from dataclasses import dataclass

from scheduling.domain.errors import InstallNotFound, Unavailable
from scheduling.domain.ids import InstallId
from scheduling.operations.converge import converge
from scheduling.operations.ports import Conflict, PendingItem, TimerFailed
from scheduling.operations.services import PENDING_GRACE, Services
from scheduling.operations.uninstall import apply_install, delete_install

logger = logging.getLogger(__name__)

BATCH = 200
"""Rows looked at in one call, so that it ends well within the function's time."""


@dataclass(frozen=True, slots=True)
class Report:
    """How many pending items were settled, and how many are left for the next call."""

    settled: int
    failed: int


def reconcile(services: Services) -> Report:
    """Settle every row, up to 200, that has been pending for longer than any function may take."""
    settled = failed = 0
    for item in services.schedules.pending(services.clock() - PENDING_GRACE, BATCH):
        try:
            _settle(services, item)
            settled += 1
        except (TimerFailed, Unavailable, Conflict) as error:
            logger.warning("%s is still pending: %s", item, error)
            failed += 1
    return Report(settled, failed)


def _settle(services: Services, item: PendingItem) -> None:
    if item.schedule_id is None:
        _settle_install(services, item.install_id)
        return
    snapshot = services.schedules.read(item.install_id, item.schedule_id)
    if snapshot.schedule and snapshot.schedule.pending:
        converge(services, snapshot.install, snapshot.schedule)


def _settle_install(services: Services, install_id: InstallId) -> None:
    install = services.schedules.read(install_id).install
    if install is None or install.pending_since is None:
        return
    if not install.deleting:
        apply_install(services, install)
        return
    try:
        delete_install(services, install_id)
    except InstallNotFound:
        logger.info("install %s was deleted meanwhile", install_id)
