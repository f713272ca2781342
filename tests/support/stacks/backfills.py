"""Start backfills of an hourly schedule over hours of the day on which the clock starts."""

from datetime import datetime

from scheduling.domain.deliveries.backfill import BackfillPlan, BackfillRequest, Selection
from scheduling.domain.runs import Outcome, Run, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.runs.backfill import start_backfill

from tests.support.stacks.fires import list_history
from tests.support.stacks.world import ADMIN, World

FAILED = Outcome(status=RunStatus.ERROR, http_status=422, error="no")


def hours(first: int, last: int) -> list[str]:
    """Return the scheduled times of the hours of the day on which the clock starts."""
    return [f"2026-11-23T{hour:02}:00:00Z" for hour in range(first, last + 1)]


def period(first: int, last: int, which: str = "all", *, dry_run: bool = False) -> BackfillRequest:
    moments = [datetime.fromisoformat(time) for time in (*hours(first, first), *hours(last, last))]
    return BackfillRequest(first=moments[0], last=moments[1], which=Selection(which), dry_run=dry_run)


def backfill(world: World, schedule: Schedule, request: BackfillRequest) -> BackfillPlan:
    return start_backfill(world.services, schedule.install_id, schedule.id, request, actor=ADMIN)


def record_failure(world: World, schedule: Schedule, scheduled_time: str) -> None:
    """Record that the occurrence has failed at its only attempt."""
    run = Run(scheduled_time=scheduled_time, status=RunStatus.ERROR, attempt=1, started_at=world.clock[0])
    world.services.runs.record_run(schedule, run)


def statuses(world: World, schedule: Schedule) -> list[tuple[str, str, str, int]]:
    return [
        (run.scheduled_time, run.trigger.value, run.status.value, run.attempt)
        for run in reversed(list_history(world, schedule))
    ]
