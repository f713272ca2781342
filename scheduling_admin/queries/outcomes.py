"""How runs that a command has asked for end."""

from collections.abc import Callable, Mapping
from datetime import datetime

from scheduling.domain.runs import Fire, Run, RunStatus, SkipReason
from scheduling.operations.services import Services

POLL_SECONDS = 1.0


def read_run(services: Services, fire: Fire) -> Run | None:
    """Return the occurrence's run, if it has one."""
    return services.runs.read_fire_snapshot(fire).run


def has_ended(run: Run) -> bool:
    """Return whether the run has ended for good."""
    if run.status is RunStatus.ERROR:
        return run.failed_permanently
    return run.status not in (RunStatus.RUNNING, RunStatus.WAITING)


def _skip_unknown(fire: Fire, now: datetime) -> Run:
    return Run(
        scheduled_time=fire.scheduled_time,
        trigger=fire.trigger,
        status=RunStatus.SKIPPED,
        attempt=0,
        started_at=now,
        error="The schedule does not exist any more",
        skip_reason=SkipReason.UNKNOWN_SCHEDULE,
    )


def wait_for_outcomes(
    services: Services,
    earlier_runs: Mapping[Fire, Run | None],
    timeout: int,
    on_outcome: Callable[[], None],
) -> dict[Fire, Run | None]:
    """Return how each replayed occurrence has ended; None for one that has not within the time-out, in seconds.

    `earlier_runs` are those before the replay; a run that is as it was then has not ended again, unless it was a
    success, which no replay repeats. An occurrence whose schedule is deleted is skipped, and has no history.
    """
    outcomes: dict[Fire, Run | None] = dict.fromkeys(earlier_runs)
    deadline = services.monotonic() + timeout
    while pending := [fire for fire, outcome in outcomes.items() if outcome is None]:
        for fire in pending:
            snapshot = services.runs.read_fire_snapshot(fire)
            run = snapshot.run
            if snapshot.schedule is None:
                run = _skip_unknown(fire, services.clock())
            if run and has_ended(run) and (run != earlier_runs[fire] or run.status is RunStatus.SUCCESS):
                outcomes[fire] = run
                on_outcome()
        if services.monotonic() > deadline:
            break
        services.sleep(POLL_SECONDS)
    return outcomes
