"""Occurrences to deliver in a world, and the history that they leave."""

from datetime import timedelta
from functools import cache

from botocore.session import Session
from scheduling.clients.queue import OccurrenceQueue
from scheduling.domain.runs import Fire, Run, format_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.queries import list_runs

from tests.support.stacks.world import DEAD_LETTER_QUEUE_URL, TIMER_SETTINGS, World


def create_fire(schedule: Schedule, scheduled_time: str = "2026-11-23T09:00:00Z") -> Fire:
    """Return an occurrence of the schedule, as its present timer delivers it."""
    return Fire(
        install_id=schedule.install_id,
        schedule_id=schedule.id,
        timer_revision=schedule.timer_revision,
        scheduled_time=scheduled_time,
    )


def next_hourly_fire(world: World, schedule: Schedule) -> Fire:
    """Advance the clock to the next full hour and return the occurrence of that time."""
    world.clock[0] = world.clock[0].replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return create_fire(schedule, format_time(world.clock[0]))


def list_history(world: World, schedule: Schedule) -> list[Run]:
    """Return the runs of the schedule, newest first."""
    return list(list_runs(world.services, schedule.install_id, schedule.id, limit=50).runs)


@cache
def occurrence_queue() -> OccurrenceQueue:
    """Return one client for all worlds, since creating an SQS client takes longer than most tests."""
    return OccurrenceQueue(Session(), TIMER_SETTINGS.occurrence_queue_url, DEAD_LETTER_QUEUE_URL)
