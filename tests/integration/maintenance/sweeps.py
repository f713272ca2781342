"""A sweep from its beginning to its end, and what it checks."""

from collections import Counter
from datetime import timedelta

from scheduling.domain.runs import Fire, Run
from scheduling.domain.schedule import Schedule
from scheduling.operations.maintenance.sweep import sweep
from scheduling.operations.schedules.queries import list_runs

from tests.support.stacks.world import GROUP, World, aws_client

DAY = timedelta(hours=24)


def run_sweep(world: World) -> Counter[str]:
    """Run a whole sweep a day later, and return its repairs."""
    world.advance(hours=25)
    repairs: Counter[str] = Counter()
    for _ in range(20):
        repairs += sweep(world.services, DAY)
        state = world.services.sweeps.read_sweep_state()
        assert state is not None
        if state.phase is None:
            return repairs
    raise AssertionError("the sweep does not end")


def list_history(world: World, schedule: Schedule) -> list[Run]:
    return list(list_runs(world.services, schedule.install_id, schedule.id, limit=50).runs)


def create_fire(schedule: Schedule, scheduled_time: str) -> Fire:
    return Fire(
        install_id=schedule.install_id,
        schedule_id=schedule.id,
        timer_revision=schedule.timer_revision,
        scheduled_time=scheduled_time,
    )


def delete_timer(schedule: Schedule) -> None:
    aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=schedule.id)
