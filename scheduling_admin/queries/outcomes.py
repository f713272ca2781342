"""How runs that a command has asked for end."""

from collections.abc import Mapping

from scheduling.domain.runs import Fire, Run, RunStatus

from scheduling_admin.stack.session import AdminSession

POLL_SECONDS = 1.0


def read_run(session: AdminSession, fire: Fire) -> Run | None:
    """Return the occurrence's run, if it has one."""
    return session.services.runs.read_fire_snapshot(fire).run


def has_ended(run: Run) -> bool:
    """Return whether the run has ended for good."""
    if run.status is RunStatus.ERROR:
        return run.failed_permanently
    return run.status not in (RunStatus.RUNNING, RunStatus.WAITING)


def wait_for_outcomes(
    session: AdminSession, earlier_runs: Mapping[Fire, Run | None], timeout: int
) -> dict[Fire, Run | None]:
    """Return how each replayed occurrence has ended; None for one that has not within the time-out, in seconds.

    `earlier_runs` are those before the replay; a run that is as it was then has not ended again, unless it was a
    success, which no replay repeats.
    """
    outcomes: dict[Fire, Run | None] = dict.fromkeys(earlier_runs)
    services = session.services
    deadline = services.monotonic() + timeout
    with session.show_progress() as bar:
        task = bar.add_task("Waiting for the runs", total=len(outcomes))
        while pending := [fire for fire, outcome in outcomes.items() if outcome is None]:
            for fire in pending:
                run = read_run(session, fire)
                if run and has_ended(run) and (run != earlier_runs[fire] or run.status is RunStatus.SUCCESS):
                    outcomes[fire] = run
                    bar.advance(task)
            if services.monotonic() > deadline:
                break
            services.sleep(POLL_SECONDS)
    return outcomes
