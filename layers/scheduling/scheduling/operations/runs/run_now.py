"""Run a schedule now, apart from its timer (contract, section 3)."""

from collections.abc import Callable

from scheduling.domain.errors import CapabilityDenied, InstallNotFound, NotRunnable
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import SCHEDULER_MANAGE, Install
from scheduling.domain.runs import Fire, ManualRun, Trigger, manual_time_text
from scheduling.domain.schedule import KEY_LIFETIME, Schedule
from scheduling.operations.schedules.queries import visible
from scheduling.operations.services import Services

Deliver = Callable[[Fire], None]
"""Sends a fire to the executor function; raises Unavailable where it may not have arrived."""


def run_now(
    services: Services,
    deliver: Deliver,
    install_id: InstallId,
    schedule_id: ScheduleId,
    key: str | None,
) -> Fire:
    """A manual occurrence of the schedule, handed to the executor; with `key`, the one that it made before.

    No schedule is run so more often than an install may write. Whether another run is under way is seen when it
    starts: it is then skipped, in the history. Raises InstallNotFound, ScheduleNotFound, NotRunnable,
    CapabilityDenied, RateLimited, and Unavailable, after which the same key again makes sure of it.
    """
    request = services.retry(lambda: _accept(services, install_id, schedule_id, key))
    deliver(request.fire)
    return request.fire


def _accept(services: Services, install_id: InstallId, schedule_id: ScheduleId, key: str | None) -> ManualRun:
    seen = services.manual_runs.read(install_id, schedule_id, key)
    if seen.install is None or seen.install.deleting:
        raise InstallNotFound
    schedule = visible(seen.schedule)
    now = services.clock()
    if seen.earlier and now - seen.earlier.requested_at < KEY_LIFETIME:
        return seen.earlier
    _check_runnable(seen.install, schedule)
    window = seen.window.taken(services.limits.writes_per_minute, now)
    fire = Fire(
        install_id=install_id,
        schedule_id=schedule_id,
        revision=schedule.timer_revision,
        scheduled_time=manual_time_text(now),
        trigger=Trigger.MANUAL,
    )
    request = ManualRun(fire=fire, requested_at=now, key=key)
    services.manual_runs.accept(request, seen.window, window)
    return request


def _check_runnable(install: Install, schedule: Schedule) -> None:
    if not install.enabled:
        raise NotRunnable("The install is disabled")
    if install.paused:
        raise NotRunnable("The tenant is paused")
    if SCHEDULER_MANAGE not in install.granted:
        raise CapabilityDenied(SCHEDULER_MANAGE)
    if not schedule.under(install).definition.enabled:
        raise NotRunnable("The schedule is disabled")
