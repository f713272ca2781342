"""How runs that a command has asked for end."""

from collections.abc import Callable, Mapping

from scheduling.domain.runs import Fire, Run, RunStatus
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


def wait_for_outcomes(
    services: Services,
    earlier_runs: Mapping[Fire, Run | None],
    timeout: int,
    on_outcome: Callable[[], None],
) -> dict[Fire, Run | None]:
    """Return how each replayed occurrence has ended; None for one that has not within the time-out, in seconds.

    `earlier_runs` are those before the replay; a run that is as it was then has not ended again, unless it was a
    success, which no replay repeats.
    """
    outcomes: dict[Fire, Run | None] = dict.fromkeys(earlier_runs)
    deadline = services.monotonic() + timeout
    while pending := [fire for fire, outcome in outcomes.items() if outcome is None]:
        for fire in pending:
            run = read_run(services, fire)
            if run and has_ended(run) and (run != earlier_runs[fire] or run.status is RunStatus.SUCCESS):
                outcomes[fire] = run
                on_outcome()
        if services.monotonic() > deadline:
            break
        services.sleep(POLL_SECONDS)
    return outcomes
