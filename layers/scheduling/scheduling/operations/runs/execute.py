"""Make one attempt at an occurrence: claim it, call the runner, write the outcome (contract, section 6)."""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from scheduling.domain.deliveries.decision import Acknowledge, Execute, Skip, Wait, decide_delivery
from scheduling.domain.deliveries.delivery import Delivery, DeliveryResult
from scheduling.domain.deliveries.firing import next_fire_after
from scheduling.domain.deliveries.responses import find_response_code
from scheduling.domain.deliveries.spread import find_spread
from scheduling.domain.deliveries.waiting import FollowUp, plan_follow_up
from scheduling.domain.errors import Conflict, Unavailable
from scheduling.domain.ids import new_token
from scheduling.domain.install import CatchUp
from scheduling.domain.runs import (
    MAX_ERROR_LENGTH,
    Execution,
    Fire,
    Outcome,
    Run,
    RunStatus,
    SkipReason,
    build_next_attempt,
)
from scheduling.domain.schedule import Schedule
from scheduling.operations.runs.continuation import send_continuation, send_dead_letter
from scheduling.operations.services import Services
from scheduling.operations.sync.completion import find_schedule_change
from scheduling.store.snapshots import FireSnapshot

RunEndpoint = Callable[[Execution], Outcome]
"""Calls the endpoint of a schedule; every failure is in the outcome, not raised."""

_CHANGED_BEFORE_RUN_TEXT = "The schedule, its install or its tenant was changed before the run began"
_RETRY_HOLD = timedelta(minutes=10)
"""How much longer than until its next attempt an occurrence holds its schedule, if each occurrence is to run."""


def execute_attempt(
    services: Services, run_endpoint: RunEndpoint, delivery: Delivery, snapshot: FireSnapshot
) -> DeliveryResult:
    """Make the next attempt; a message that continues the occurrence, or its dead letter, is sent before the outcome.

    Raises:
        Conflict: What the attempt depends on has changed.
        Unavailable: DynamoDB does not respond, or the queue, after the outcome is written.
    """
    now = services.clock()
    claimed_run = build_next_attempt(delivery.fire, snapshot.run, now, services.lease)
    services.bind_run(claimed_run)
    _, schedule = snapshot.require_target()
    spread = find_spread(schedule, services.limits)
    result = DeliveryResult(delivery=delivery, delivered_at=now, spread=spread)
    if reason := _claim_run(services, delivery, snapshot, claimed_run):
        return replace(result, reason=reason)
    outcome, seconds = _call_runner(run_endpoint, delivery.fire, snapshot, claimed_run)
    follow_up = plan_follow_up(
        _apply_outcome(claimed_run, outcome, seconds),
        outcome,
        first_sent_at=delivery.first_sent_at,
        now=services.clock(),
        max_wait=services.limits.max_wait,
        retry_delay=services.retry_delay,
    )
    try:
        wait_token = _send_follow_up(services, delivery, snapshot, follow_up)
    except Unavailable:
        _finish_without_follow_up(services, delivery.fire, schedule, claimed_run, follow_up)
        raise
    finished_run = replace(follow_up.run, wait_token=wait_token)
    _finish_run(services, delivery.fire, schedule, claimed_run, finished_run)
    return replace(
        result,
        run=finished_run,
        continued=follow_up.until is not None,
        runner_response=find_response_code(outcome),
    )


def _finish_without_follow_up(
    services: Services, fire: Fire, schedule: Schedule, claimed_run: Run, follow_up: FollowUp
) -> None:
    """Write what is known of the attempt; the message itself, delivered again, continues the occurrence."""
    if follow_up.dead_letter:
        _keep_reason(services, fire, claimed_run, follow_up.run)
    else:
        _finish_run(services, fire, schedule, claimed_run, follow_up.run)


def _call_runner(
    run_endpoint: RunEndpoint, fire: Fire, snapshot: FireSnapshot, claimed_run: Run
) -> tuple[Outcome, float]:
    install, schedule = snapshot.require_target()
    execution = Execution(
        fire=fire, run=claimed_run, install=install, config=snapshot.config, schedule=schedule
    )
    called_at = time.monotonic()
    outcome = run_endpoint(execution)
    return outcome, time.monotonic() - called_at


def _claim_run(
    services: Services, delivery: Delivery, snapshot: FireSnapshot, claimed_run: Run
) -> SkipReason | None:
    """Claim the run; where the response is lost, read whether the claim was written: nobody else would run it.

    Returns:
        The reason against the run that has arisen meanwhile, if any: the run is then recorded as skipped.
    """
    fire = delivery.fire
    _, schedule = snapshot.require_target()
    try:
        next_fire = next_fire_after(schedule, fire.scheduled_time, claimed_run.started_at)
        services.runs.claim_run(fire, snapshot, claimed_run, next_fire)
    except (Conflict, Unavailable):
        current = services.runs.read_fire_snapshot(fire)
        if current.run is None or current.run.lease_token != claimed_run.lease_token:
            raise
        state = replace(current, run=snapshot.run).state
        decision = decide_delivery(delivery, state, services.limits, claimed_run.started_at)
        if isinstance(decision, Execute):
            return None
        _skip_claimed_run(services, fire, current.schedule, claimed_run)
        return decision.reason if isinstance(decision, Skip | Acknowledge | Wait) else SkipReason.SUPERSEDED
    return None


def _skip_claimed_run(services: Services, fire: Fire, schedule: Schedule | None, claimed_run: Run) -> None:
    skipped_run = replace(
        claimed_run, status=RunStatus.SKIPPED, lease_expires_at=None, error=_CHANGED_BEFORE_RUN_TEXT
    )
    change = find_schedule_change(services, schedule, fire, skipped_run)
    services.runs.finish_run(fire, claimed_run, skipped_run, release_lease=False, change=change)


def _apply_outcome(claimed_run: Run, outcome: Outcome, seconds: float) -> Run:
    return replace(
        claimed_run,
        status=outcome.status,
        lease_expires_at=None,
        duration_ms=math.ceil(seconds * 1000),
        http_status=outcome.http_status,
        error=outcome.error[:MAX_ERROR_LENGTH] if outcome.error else None,
        detail=outcome.detail[:MAX_ERROR_LENGTH] if outcome.detail else None,
        runner_status=outcome.runner_status,
        runner_error=outcome.runner_error,
        retryable=outcome.retryable,
        response_count=claimed_run.response_count + outcome.has_response,
    )


def _send_follow_up(
    services: Services, delivery: Delivery, snapshot: FireSnapshot, follow_up: FollowUp
) -> str | None:
    """Send what follows the attempt, if anything does, and return the token by which the row names it."""
    if follow_up.dead_letter:
        return send_dead_letter(services, delivery, snapshot.schedule, follow_up.run.error or "")
    if follow_up.until is None:
        return None
    token = new_token()
    send_continuation(services, delivery, snapshot.schedule, follow_up.until, token)
    return token


def _finish_run(
    services: Services, fire: Fire, schedule: Schedule, claimed_run: Run, finished_run: Run
) -> None:
    """Write the outcome, with many retries: an occurrence whose outcome is lost may run again after its lease."""
    hold_until = _find_hold(services, finished_run)
    change = find_schedule_change(services, schedule, fire, finished_run)
    try:
        services.runs.finish_run(fire, claimed_run, finished_run, hold_until=hold_until, change=change)
    except (Conflict, Unavailable):
        services.retry(
            lambda: _finish_if_still_claimed(services, fire, claimed_run, finished_run),
            retry_on=(Conflict, Unavailable),
        )


def _keep_reason(services: Services, fire: Fire, claimed_run: Run, failed_run: Run) -> None:
    """Write the outcome, but not that the run has ended: without a dead letter, it is given up after its lease."""
    unfinished_run = replace(
        failed_run, status=claimed_run.status, lease_expires_at=claimed_run.lease_expires_at
    )
    with suppress(Conflict):  # another attempt has taken over after the lease
        services.runs.update_run(fire, claimed_run, unfinished_run)


def _find_hold(services: Services, finished_run: Run) -> datetime | None:
    """Return until when a run that is between its attempts holds its schedule, if it does."""
    if services.limits.catch_up is not CatchUp.ALL or finished_run.status is not RunStatus.ERROR:
        return None
    return finished_run.not_before and finished_run.not_before + _RETRY_HOLD


def _finish_if_still_claimed(services: Services, fire: Fire, claimed_run: Run, finished_run: Run) -> None:
    """Write the outcome unless the schedule was deleted or another attempt has taken over after the lease."""
    snapshot = services.runs.read_fire_snapshot(fire)
    if snapshot.run is None or (snapshot.run.lease_token, snapshot.run.status) != (
        claimed_run.lease_token,
        RunStatus.RUNNING,
    ):
        return
    holds_lease = (
        snapshot.schedule is not None and snapshot.schedule.running_occurrence == fire.scheduled_time
    )
    services.runs.finish_run(
        fire,
        claimed_run,
        finished_run,
        release_lease=holds_lease,
        hold_until=_find_hold(services, finished_run),
        change=find_schedule_change(services, snapshot.schedule, fire, finished_run),
    )
