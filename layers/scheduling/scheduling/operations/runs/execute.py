"""Run one occurrence of a schedule, at most once per attempt and never after it succeeded."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from scheduling.domain.errors import Conflict, RunFailed, Unavailable
from scheduling.domain.install import Install, InstallConfig
from scheduling.domain.runs import (
    MAX_ERROR_LENGTH,
    Fire,
    NotRun,
    Outcome,
    Run,
    RunStatus,
    Trigger,
    next_attempt,
    not_to_run,
)
from scheduling.domain.schedule import Schedule
from scheduling.operations.services import Services
from scheduling.store.snapshots import FireSnapshot

RunEndpoint = Callable[[Fire, Install, InstallConfig, Schedule], Outcome]
"""Calls the endpoint of a schedule; whatever goes wrong is in the outcome, not raised."""

LEASE = timedelta(seconds=50)
"""A little longer than a call of the runner may take, and shorter than Lambda waits before it tries again."""

_SHOWN = {
    NotRun.OVERLAP: "The previous run was still under way",
    NotRun.CAPABILITY_REVOKED: "The install no longer has cap:scheduler.manage",
}
_SHOWN_IF_MANUAL = {NotRun.DISABLED: "The schedule was disabled, its install, or its tenant paused"}


_STOPPED = "The schedule, its install or its tenant was changed before the run began"


def execute(services: Services, run_endpoint: RunEndpoint, fire: Fire) -> Run | NotRun:
    """The finished run of the occurrence, or why none was made.

    Raises RunFailed after a time-out, no answer, or a 5xx, and Unavailable when DynamoDB does not answer.
    """
    return services.retry(lambda: _execute(services, run_endpoint, fire))


def _execute(services: Services, run_endpoint: RunEndpoint, fire: Fire) -> Run | NotRun:
    seen = services.runs.read(fire)
    now = services.clock()
    if seen.install is None or seen.schedule is None:
        return NotRun.UNKNOWN_SCHEDULE
    reason = not_to_run(fire, seen.install, seen.schedule, seen.run, now)
    if reason is NotRun.OVERLAP and seen.run is not None:
        raise RunFailed("The next occurrence is under way; this one is to be tried again after it")
    if reason:
        _show(services, fire, seen, reason)
        return reason
    claimed = next_attempt(fire, seen.run, now, LEASE)
    if stopped := _claim(services, fire, seen, claimed):
        return stopped
    called_at = time.monotonic()
    outcome = run_endpoint(fire, seen.install, seen.config, seen.schedule)
    finished = _finished(claimed, outcome, time.monotonic() - called_at)
    _finish(services, fire, claimed, finished)
    if finished.retryable:
        raise RunFailed(
            f"Attempt {finished.attempt} failed; the history has the reason",
            attempt=finished.attempt,
            started_at=finished.started_at,
            duration_ms=finished.duration_ms,
        )
    return finished


def _claim(services: Services, fire: Fire, seen: FireSnapshot, claimed: Run) -> NotRun | None:
    """Where the answer was lost, look whether the claim stands: nobody else would run what it holds.

    Gives what has come to stand against the run meanwhile, if anything: the claim is then given up.
    """
    try:
        services.runs.claim(fire, seen, claimed)
    except (Conflict, Unavailable):
        again = services.runs.read(fire)
        if again.run is None or again.run.claim_token != claimed.claim_token:
            raise
        reason = _to_stop(fire, replace(again, run=seen.run), services.clock())
        if reason:
            _give_up(services, fire, claimed)
        return reason
    return None


def _to_stop(fire: Fire, seen: FireSnapshot, now: datetime) -> NotRun | None:
    if seen.install is None or seen.schedule is None:
        return NotRun.UNKNOWN_SCHEDULE
    return not_to_run(fire, seen.install, seen.schedule, seen.run, now)


def _give_up(services: Services, fire: Fire, claimed: Run) -> None:
    skipped = replace(claimed, status=RunStatus.SKIPPED, lease_until=None, error=_STOPPED)
    services.runs.finish(fire, claimed, skipped, on_schedule=False)


def _finished(claimed: Run, outcome: Outcome, seconds: float) -> Run:
    return replace(
        claimed,
        status=outcome.status,
        lease_until=None,
        duration_ms=math.ceil(seconds * 1000),
        http_status=outcome.http_status,
        error=outcome.error[:MAX_ERROR_LENGTH] if outcome.error else None,
        retryable=outcome.retryable,
    )


def _finish(services: Services, fire: Fire, claimed: Run, finished: Run) -> None:
    """Tried for long: an outcome that is lost is an occurrence that may be run again after its lease."""
    try:
        services.runs.finish(fire, claimed, finished)
    except (Conflict, Unavailable):
        services.retry(
            lambda: _finish_after_all(services, fire, claimed, finished), on=(Conflict, Unavailable)
        )


def _finish_after_all(services: Services, fire: Fire, claimed: Run, finished: Run) -> None:
    """The schedule was deleted or claimed anew, or another attempt took over after the lease."""
    seen = services.runs.read(fire)
    if seen.run is None or (seen.run.claim_token, seen.run.status) != (
        claimed.claim_token,
        RunStatus.RUNNING,
    ):
        return
    held = seen.schedule is not None and seen.schedule.running_time == fire.scheduled_time
    services.runs.finish(fire, claimed, finished, on_schedule=held)


def _show(services: Services, fire: Fire, seen: FireSnapshot, reason: NotRun) -> None:
    """What the owner is to know of goes into the history; a retry that finds an overlap leaves the first attempt."""
    shown = _SHOWN | (_SHOWN_IF_MANUAL if fire.trigger is Trigger.MANUAL else {})
    if reason not in shown or seen.run is not None or seen.schedule is None:
        return
    now = services.clock()
    skipped = Run(
        scheduled_time=fire.scheduled_time,
        trigger=fire.trigger,
        status=RunStatus.SKIPPED,
        attempt=0,
        started_at=now,
        error=shown[reason],
    )
    services.runs.record(seen.schedule, skipped)
