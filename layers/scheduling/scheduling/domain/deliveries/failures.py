"""What a failed occurrence means for its schedule: it is counted, and too many in a row pause the schedule."""

from dataclasses import replace
from datetime import datetime

from scheduling.domain.ids import SYSTEM
from scheduling.domain.install import Limits
from scheduling.domain.runs import EXTENSION_FAILED, NO_RESPONSE, Fire, Run
from scheduling.domain.schedule import PAUSED_AFTER_FAILURES, Schedule, ScheduleState


def counts_as_failure(fire: Fire, run: Run) -> bool:
    """Return whether the run is an occurrence that has failed for good by its extension's fault.

    What the platform or its runner refused, and what was never run, is not; a failed replay is counted already.
    """
    if fire.replay or not run.failed_permanently or not run.was_attempted or run.runner_status is not None:
        return False
    if run.runner_error is not None:
        return run.runner_error in (EXTENSION_FAILED, NO_RESPONSE)
    return run.duration_ms is not None  # None: the function died that made the attempt


def failure_limit(schedule: Schedule, limits: Limits) -> int:
    """Return after how many failures in a row the schedule is paused; 0 is never."""
    own_limit = schedule.definition.pause_after_failures
    return limits.pause_after_failures if own_limit is None else own_limit


def pause_by_run(schedule: Schedule, fire: Fire, run: Run, limits: Limits, now: datetime) -> Schedule | None:
    """Return the schedule as paused by the run, with its timer still to be deleted; None if it is not."""
    limit = failure_limit(schedule, limits)
    enabled = schedule.state is ScheduleState.ACTIVE and schedule.definition.enabled
    if not limit or not enabled or schedule.unreadable or not counts_as_failure(fire, run):
        return None
    if schedule.consecutive_failures + 1 < limit:
        return None
    paused = schedule.with_definition(replace(schedule.definition, enabled=False), now, SYSTEM)
    return replace(paused, disabled_reason=PAUSED_AFTER_FAILURES)
