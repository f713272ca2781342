"""Run one occurrence of a schedule, at most once per attempt and never after it succeeded."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from scheduling.domain.errors import Conflict, RunFailed, Unavailable
from scheduling.domain.runs import (
    MAX_ERROR_LENGTH,
    Execution,
    Fire,
    Outcome,
    Run,
    RunStatus,
    SkipReason,
    Trigger,
    build_next_attempt,
    describe_unreadable,
    skip_reason,
)
from scheduling.operations.services import Services, retry_on_conflict
from scheduling.store.snapshots import FireSnapshot

RunEndpoint = Callable[[Execution], Outcome]
"""Calls the endpoint of a schedule; every failure is in the outcome, not raised."""

_RECORDED_SKIP_TEXTS = {
    SkipReason.OVERLAP: "The previous run was still under way",
    SkipReason.CAPABILITY_REVOKED: "The install no longer has cap:scheduler.manage",
}
_RECORDED_MANUAL_SKIP_TEXTS = {
    SkipReason.DISABLED: "The schedule was disabled, its install, or its tenant paused"
}
_CHANGED_BEFORE_RUN_TEXT = "The schedule, its install or its tenant was changed before the run began"


@retry_on_conflict
def execute_fire(services: Services, run_endpoint: RunEndpoint, fire: Fire) -> Run | SkipReason:
    """Run the occurrence and return the finished run, or the reason why it is not run.

    Raises:
        RunFailed: The attempt failed, or another one is running; the occurrence must be delivered again.
        Unavailable: DynamoDB does not respond.
    """
    snapshot = services.runs.read_fire_snapshot(fire)
    if snapshot.install:
        services.bind_install(snapshot.install)
    now = services.clock()
    reason = _find_skip_reason(fire, snapshot, now)
    if reason is SkipReason.RUNNING:
        raise RunFailed(
            "An attempt at this occurrence is running; it is delivered again in case its function has died"
        )
    if reason is SkipReason.OVERLAP and snapshot.run is not None:
        raise RunFailed("The next occurrence is under way; this one is to be tried again after it")
    if reason:
        _record_skip(services, fire, snapshot, reason)
        return reason
    claimed_run = build_next_attempt(fire, snapshot.run, now, services.lease)
    services.bind_run(claimed_run)
    if reason := _claim_run(services, fire, snapshot, claimed_run):
        return reason
    finished_run = _call_runner(run_endpoint, fire, snapshot, claimed_run)
    _finish_run(services, fire, claimed_run, finished_run)
    if finished_run.retryable:
        text = f"Attempt {finished_run.attempt} failed; the history has the reason of request {finished_run.request_id}"
        raise RunFailed(text, finished_run)
    return finished_run


def _call_runner(run_endpoint: RunEndpoint, fire: Fire, snapshot: FireSnapshot, claimed_run: Run) -> Run:
    install, schedule = snapshot.require_target()
    execution = Execution(
        fire=fire, run=claimed_run, install=install, config=snapshot.config, schedule=schedule
    )
    called_at = time.monotonic()
    outcome = run_endpoint(execution)
    return _apply_outcome(claimed_run, outcome, time.monotonic() - called_at)


def _find_skip_reason(fire: Fire, snapshot: FireSnapshot, now: datetime) -> SkipReason | None:
    if snapshot.install is None or snapshot.schedule is None:
        return SkipReason.UNKNOWN_SCHEDULE
    return skip_reason(fire, snapshot.install, snapshot.schedule, snapshot.run, now)


def _claim_run(services: Services, fire: Fire, snapshot: FireSnapshot, claimed_run: Run) -> SkipReason | None:
    """Claim the run; where the response is lost, read whether the claim was written: nobody else would run it.

    Returns:
        The reason against the run that has arisen meanwhile, if any: the run is then recorded as skipped.
    """
    try:
        services.runs.claim_run(fire, snapshot, claimed_run)
    except (Conflict, Unavailable):
        current = services.runs.read_fire_snapshot(fire)
        if current.run is None or current.run.lease_token != claimed_run.lease_token:
            raise
        reason = _find_skip_reason(fire, replace(current, run=snapshot.run), services.clock())
        if reason:
            _skip_claimed_run(services, fire, claimed_run)
        return reason
    return None


def _skip_claimed_run(services: Services, fire: Fire, claimed_run: Run) -> None:
    skipped_run = replace(
        claimed_run, status=RunStatus.SKIPPED, lease_expires_at=None, error=_CHANGED_BEFORE_RUN_TEXT
    )
    services.runs.finish_run(fire, claimed_run, skipped_run, release_lease=False)


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


def _finish_run(services: Services, fire: Fire, claimed_run: Run, finished_run: Run) -> None:
    """Write the outcome, with many retries: an occurrence whose outcome is lost may run again after its lease."""
    try:
        services.runs.finish_run(fire, claimed_run, finished_run)
    except (Conflict, Unavailable):
        services.retry(
            lambda: _finish_if_still_claimed(services, fire, claimed_run, finished_run),
            retry_on=(Conflict, Unavailable),
        )


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
    services.runs.finish_run(fire, claimed_run, finished_run, release_lease=holds_lease)


def _record_skip(services: Services, fire: Fire, snapshot: FireSnapshot, reason: SkipReason) -> None:
    """Record what the owner needs to know; a retry that finds an overlap keeps the record of the first attempt."""
    texts = _RECORDED_SKIP_TEXTS | (_RECORDED_MANUAL_SKIP_TEXTS if fire.trigger is Trigger.MANUAL else {})
    if reason is SkipReason.UNREADABLE:
        texts |= {reason: str(describe_unreadable(*snapshot.require_target()))}
    if reason not in texts or snapshot.run is not None or snapshot.schedule is None:
        return
    skipped_run = Run(
        scheduled_time=fire.scheduled_time,
        trigger=fire.trigger,
        status=RunStatus.SKIPPED,
        attempt=0,
        started_at=services.clock(),
        error=texts[reason],
    )
    services.runs.record_run(snapshot.schedule, skipped_run)
