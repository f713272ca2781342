"""The parts of the sweep: check some installs or timers, several at a time, within the time of one invocation."""

import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass

from scheduling.domain.errors import Conflict, TimerFailed, Unavailable, UnreadableItem
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import PartResult, SweepPart, SweepPhase
from scheduling.operations.maintenance.missed import record_missed_runs
from scheduling.operations.maintenance.repair import (
    delete_orphaned_timer,
    repair_index_entry,
    repair_names_and_count,
    repair_payloads,
    repair_suspension,
    repair_tenant,
    repair_tenant_index,
    repair_timer,
    report_unreadable,
)
from scheduling.operations.services import Services

logger = logging.getLogger(__name__)

PART_SECONDS = 30.0
"""How long a part begins further checks; a check that has begun may take some more."""


def check_part(services: Services, part: SweepPart, seconds: float = PART_SECONDS) -> PartResult:
    """Check the items of the part, several at a time: at least one, and none begins after so many seconds.

    Under throttling, no further check begins. An install, schedule or timer that cannot be checked is reported and
    counted as `unreadable`.
    """
    run = _PartRun(services, part, services.monotonic() + seconds)
    with ThreadPoolExecutor(services.sweep_parallelism) as pool:
        # Each in a copy of the context: with the keys of the log and the deadline of retries.
        contexts = [copy_context() for _ in part.ids]
        results = list(pool.map(lambda context, item_id: context.run(run.check, item_id), contexts, part.ids))
    repairs: Counter[str] = Counter()
    for item_repairs in results:
        repairs.update(item_repairs or {})
    checked = results.index(None) if None in results else len(results)
    return PartResult(checked=checked, repairs=repairs, throttled=run.throttled)


class _PartRun:
    """The checks of one part."""

    def __init__(self, services: Services, part: SweepPart, deadline: float) -> None:
        self._services = services
        self._part = part
        self._deadline = deadline
        self.throttled = False

    def check(self, item_id: str) -> Counter[str] | None:
        """Check the item and return its repairs; None if it has to be checked again."""
        is_late = item_id != self._part.ids[0] and self._services.monotonic() > self._deadline
        if self.throttled or is_late:
            return None
        repairs: Counter[str] = Counter()
        try:
            if self._part.phase is SweepPhase.INSTALLS:
                sweep_install(self._services, InstallId(item_id), repairs)
            else:
                sweep_timer(self._services, ScheduleId(item_id), repairs)
        except (TimerFailed, Unavailable) as error:
            logger.warning("%s is checked again: %s", item_id, error)
            self.throttled = True
            return None
        return repairs


def sweep_install(services: Services, install_id: InstallId, repairs: Counter[str]) -> None:
    """Compare the rows of one install with each other, with their timers, and with their history."""
    check = _Check(services, repairs, "install", install_id)
    with check.going_on():
        partition = services.sweeps.read_partition(install_id)
        for item in partition.unreadable_items:
            report_unreadable(services, item, repairs)
        with check.going_on():
            repair_names_and_count(services, install_id, partition, repairs)
        with check.going_on():
            repair_payloads(services, install_id, partition, repairs)
        for repair in partition.index_repairs:
            with check.going_on():
                repair_index_entry(services, repair, repairs)
        with check.going_on():
            repair_tenant_index(services, partition.install, repairs)
        for schedule in partition.schedules:
            _sweep_schedule(services, partition.install, schedule, repairs)


def _sweep_schedule(
    services: Services, install: Install | None, schedule: Schedule, repairs: Counter[str]
) -> None:
    check = _Check(services, repairs, "schedule", f"{schedule.id} of install {schedule.install_id}")
    with check.going_on():
        record_missed_runs(services, schedule, repairs)
    with check.going_on():
        repair_tenant(services, install, schedule, repairs)
    with check.going_on():
        repair_suspension(services, install, schedule, repairs)
    with check.going_on():
        repair_timer(services, schedule, repairs)


def sweep_timer(services: Services, schedule_id: ScheduleId, repairs: Counter[str]) -> None:
    """Compare one timer with its row."""
    with _Check(services, repairs, "timer", schedule_id).going_on():
        delete_orphaned_timer(services, schedule_id, repairs)


@dataclass(frozen=True, slots=True)
class _Check:
    """The check of one item."""

    services: Services
    repairs: Counter[str]
    kind: str
    item_id: str

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Go on after a step that fails for this item alone.

        Raises:
            TimerFailed: EventBridge does not respond.
            Unavailable: DynamoDB does not respond.
        """
        try:
            yield
        except Conflict:
            logger.info("%s %s changed during its repair; left to the next sweep", self.kind, self.item_id)
        except Unavailable:
            raise
        except Exception as error:
            if isinstance(error, TimerFailed) and not error.refused:
                raise
            logger.exception("%s %s cannot be checked", self.kind, self.item_id)
            reason = str(error) if isinstance(error, TimerFailed) else type(error).__name__
            report_unreadable(self.services, UnreadableItem(self.kind, self.item_id, reason), self.repairs)
