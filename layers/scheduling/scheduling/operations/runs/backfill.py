"""Catch up on the past occurrences of a schedule, on demand (contract, section 3)."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from scheduling.domain.deliveries.backfill import (
    SENDING_TIME,
    SPACING,
    Backfill,
    BackfillPlan,
    BackfillRequest,
    arm_run,
    build_backfill_fire,
    find_occurrences,
    find_resumable,
    is_armed,
    mark_sent,
    plan_backfill,
)
from scheduling.domain.deliveries.waiting import missed_after
from scheduling.domain.errors import Conflict, InstallNotFound, Unavailable
from scheduling.domain.fire_events import FireEvent, message_group
from scheduling.domain.ids import InstallId, ScheduleId, new_token
from scheduling.domain.install import Install
from scheduling.domain.runs import Run
from scheduling.domain.schedule import Schedule
from scheduling.operations.runs.run_now import check_runnable
from scheduling.operations.schedules.queries import require_visible
from scheduling.operations.services import Services, retry_on_conflict
from scheduling.store.schedule_items.backfills import BackfillStore


@dataclass(frozen=True, slots=True)
class _Claim:
    """What is to be done: with a backfill, its row is saved; without one, nothing is to be sent."""

    schedule: Schedule
    runs: Mapping[str, Run]
    plan: BackfillPlan
    backfill: Backfill | None


def start_backfill(
    services: Services,
    install_id: InstallId,
    schedule_id: ScheduleId,
    request: BackfillRequest,
    *,
    actor: str,
) -> BackfillPlan:
    """Send the occurrences of the request to the queue, and return which these are; a dry run sends none.

    A schedule has one backfill at a time: it ends with its last occurrence. The same request resumes one whose sender
    has died.

    Raises:
        InstallNotFound: There is no such install.
        ScheduleNotFound: The install has no such schedule.
        NotRunnable: The schedule would not be run.
        CapabilityDenied: The install may not have schedules.
        ValidationFailed: There are too many occurrences, or the history does not cover the period.
        BackfillInProgress: Another backfill of the schedule has not ended.
        Unavailable: Not all occurrences may have been sent.
    """
    claim = _claim_backfill(services, install_id, schedule_id, request, new_token(), actor)
    return _send_occurrences(services, claim, claim.backfill) if claim.backfill else claim.plan


@retry_on_conflict
def _claim_backfill(
    services: Services,
    install_id: InstallId,
    schedule_id: ScheduleId,
    request: BackfillRequest,
    token: str,
    actor: str,
) -> _Claim:
    """Save the backfill under the token, by which it is recognized if the response to that write was lost."""
    store = BackfillStore(services.limits.run_retention)
    snapshot = store.read_backfill_snapshot(install_id, schedule_id)
    install, newest = snapshot.install, snapshot.newest
    schedule = _require_runnable(services, install, snapshot.schedule)
    now = services.clock()
    times = find_occurrences(schedule, request, services.limits, now)
    runs = store.read_runs(install_id, schedule_id, {*times, *(newest.scheduled_times if newest else ())})
    resumed = newest if newest and newest.token == token else None
    if not (resumed or request.dry_run):
        resumed = find_resumable(newest, request, runs, services.limits, now)
    plan = plan_backfill(times, runs, resumed, services.limits, now)
    if request.dry_run or not (plan.scheduled_times or resumed):
        return _Claim(schedule, runs, plan, None)
    backfill = resumed or Backfill(
        tenant_id=install.tenant_id if install else schedule.tenant_id,
        install_id=install_id,
        schedule_id=schedule_id,
        token=token,
        first=request.first,
        last=request.last,
        which=request.which,
        scheduled_times=plan.scheduled_times,
        requested_at=now,
        requested_by=actor,
        sending_until=None,
        expires_at=now + missed_after(services.limits),
    )
    backfill = replace(backfill, sending_until=now + SENDING_TIME)
    store.save_backfill(backfill, newest)
    return _Claim(schedule, runs, plan, backfill)


def _require_runnable(services: Services, install: Install | None, schedule: Schedule | None) -> Schedule:
    if install:
        services.bind_install(install)
    if install is None or install.deleting:
        raise InstallNotFound
    visible_schedule = require_visible(services, schedule)
    check_runnable(install, visible_schedule)
    return visible_schedule


def _send_occurrences(services: Services, claim: _Claim, backfill: Backfill) -> BackfillPlan:
    """Arm and send one occurrence after the other; leave out those that have changed since they were read."""
    store = BackfillStore(services.limits.run_retention)
    sent_times: list[str] = []
    left_out = dict(claim.plan.left_out)
    try:
        for number, time in enumerate(claim.plan.scheduled_times):
            run = _arm_occurrence(services, store, claim, backfill, time, number * SPACING)
            if is_armed(run, backfill.token):
                _send_occurrence(services, claim.schedule, run)
                sent_times.append(time)
            else:
                left_out[time] = run.status.value
        with suppress(Conflict):  # an earlier attempt at this write has succeeded, or the backfill is resumed
            store.save_backfill(mark_sent(backfill), backfill)
    except Unavailable as error:
        count = len(claim.plan.scheduled_times)
        text = f"The backfill was interrupted after {len(sent_times)} of {count}; the same request resumes it"
        raise Unavailable(text, retry_after=int(SENDING_TIME.total_seconds())) from error
    return BackfillPlan(sent_times, left_out)


def _arm_occurrence(
    services: Services, store: BackfillStore, claim: _Claim, backfill: Backfill, time: str, delay: timedelta
) -> Run:
    """Return the run that waits for its message, or what has become of it since it was read."""
    run, now = claim.runs.get(time), services.clock()
    if run and is_armed(run, backfill.token):
        return run
    armed_run = arm_run(run, time, backfill.token, now, now + delay)
    try:
        store.put_armed_run(claim.schedule, run, armed_run)
    except Conflict:
        return store.read_runs(backfill.install_id, backfill.schedule_id, [time]).get(time, armed_run)
    return armed_run


def _send_occurrence(services: Services, schedule: Schedule, armed_run: Run) -> None:
    now = services.clock()
    fire = build_backfill_fire(schedule, armed_run)
    event = FireEvent(fire=fire, sent_at=now, wait_token=armed_run.wait_token)
    services.queue.send_event(event, message_group(schedule), (armed_run.not_before or now) - now)
