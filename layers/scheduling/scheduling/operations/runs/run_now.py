"""Run a schedule now, apart from its timer (contract, section 3)."""

from collections.abc import Callable
from dataclasses import replace

from scheduling.domain.errors import CapabilityDenied, InstallNotFound, NotRunnable
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import SCHEDULER_MANAGE, Install
from scheduling.domain.requests.idempotency import IDEMPOTENCY_TTL
from scheduling.domain.runs import Fire, ManualRun, Trigger, describe_unreadable, format_manual_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.queries import require_visible
from scheduling.operations.services import Services, retry_on_conflict

Deliver = Callable[[Fire, str], None]
"""Sends a fire of a group to the queue; raises Unavailable where it may not have arrived."""


def run_now(
    services: Services,
    deliver: Deliver,
    install_id: InstallId,
    schedule_id: ScheduleId,
    idempotency_key: str | None,
    *,
    actor: str,
) -> Fire:
    """Deliver a manual occurrence of the schedule; a repeated key delivers the occurrence of the first request.

    A schedule is triggered no more often than an install may write. Whether another run is in progress is checked
    when the occurrence starts: it is then recorded as skipped.

    Raises:
        InstallNotFound: There is no such install.
        ScheduleNotFound: The install has no such schedule.
        NotRunnable: The schedule would not be run.
        CapabilityDenied: The install may not have schedules.
        RateLimited: The schedule was triggered too often.
        Unavailable: The occurrence may not have been delivered; the same key again delivers it.
    """
    manual_run = _save_manual_run(services, install_id, schedule_id, idempotency_key, actor)
    deliver(manual_run.fire, manual_run.tenant_id)
    return manual_run.fire


@retry_on_conflict
def _save_manual_run(
    services: Services,
    install_id: InstallId,
    schedule_id: ScheduleId,
    idempotency_key: str | None,
    actor: str,
) -> ManualRun:
    """Return the request, which is saved or was before."""
    snapshot = services.manual_runs.read_manual_run(install_id, schedule_id, idempotency_key)
    if snapshot.install:
        services.bind_install(snapshot.install)
    if snapshot.install is None or snapshot.install.deleting:
        raise InstallNotFound
    schedule = require_visible(services, snapshot.schedule)
    now = services.clock()
    if snapshot.earlier_run and now - snapshot.earlier_run.requested_at < IDEMPOTENCY_TTL:
        return replace(snapshot.earlier_run, tenant_id=snapshot.install.tenant_id)
    check_runnable(snapshot.install, schedule)
    run_at = snapshot.window.next_free_time(now)
    window = snapshot.window.with_write(services.limits.writes_per_minute, run_at)
    fire = Fire(
        install_id=install_id,
        schedule_id=schedule_id,
        timer_revision=schedule.timer_revision,
        scheduled_time=format_manual_time(run_at),
        trigger=Trigger.MANUAL,
    )
    manual_run = ManualRun(
        fire=fire,
        requested_at=now,
        idempotency_key=idempotency_key,
        tenant_id=snapshot.install.tenant_id,
        requested_by=actor,
    )
    services.manual_runs.save_manual_run(manual_run, snapshot.window, window)
    return manual_run


def check_runnable(install: Install, schedule: Schedule) -> None:
    """Check that an occurrence of the schedule would be run now.

    Raises:
        NotRunnable: It would be skipped.
        CapabilityDenied: The install may not have schedules.
    """
    if problem := describe_unreadable(install, schedule):
        raise NotRunnable(problem)
    if not install.enabled:
        raise NotRunnable("The install is disabled")
    if install.paused:
        raise NotRunnable("The tenant is paused")
    if SCHEDULER_MANAGE not in install.granted_capabilities:
        raise CapabilityDenied(SCHEDULER_MANAGE)
    effective_schedule = schedule.with_install_applied(install)
    if not (effective_schedule.definition.enabled or effective_schedule.completed):
        raise NotRunnable("The schedule is disabled")
