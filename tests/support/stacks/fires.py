"""Occurrences to deliver in a world, the queue that delivers them again, and the history that they leave."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from scheduling import bootstrap
from scheduling.domain.deliveries.completion import one_time_moment
from scheduling.domain.deliveries.delivery import Delivery, DeliveryResult
from scheduling.domain.errors import Unavailable
from scheduling.domain.fire_events import FireEvent, parse_fire_event
from scheduling.domain.runs import Fire, Outcome, Run, SkipReason, format_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.runs.deliver import deliver_occurrence
from scheduling.operations.runs.execute import RunEndpoint
from scheduling.operations.schedules.queries import list_runs
from scheduling.operations.services import Services

from tests.support.aws.calls import Killed
from tests.support.stacks.world import GROUP, TENANT, SentMessage, World, aws_client


def create_fire(schedule: Schedule, scheduled_time: str = "2026-11-23T09:00:00Z") -> Fire:
    """Return an occurrence of the schedule, as its present timer delivers it."""
    return Fire(
        install_id=schedule.install_id,
        schedule_id=schedule.id,
        timer_revision=schedule.timer_revision,
        scheduled_time=scheduled_time,
    )


def fire_one_time(world: World, schedule: Schedule) -> Fire:
    """Advance the clock until a one-time schedule fires and its timer deletes itself, and return the occurrence."""
    moment = one_time_moment(schedule)
    assert moment is not None
    world.clock[0] = moment
    aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=schedule.id)
    return create_fire(schedule, format_time(moment))


def next_hourly_fire(world: World, schedule: Schedule) -> Fire:
    """Advance the clock to the next full hour and return the occurrence of that time."""
    world.clock[0] = world.clock[0].replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return create_fire(schedule, format_time(world.clock[0]))


def list_history(world: World, schedule: Schedule) -> list[Run]:
    """Return the runs of the schedule, newest first."""
    return list(list_runs(world.services, schedule.install_id, schedule.id, limit=50).runs)


def execute_fire(services: Services, run_endpoint: RunEndpoint, fire: Fire) -> Run | SkipReason:
    """Deliver the occurrence for the first time, and return its run, or the reason why there is none."""
    event = FireEvent(fire=fire)
    delivery = Delivery(event=event, accepted_at=services.clock(), group=TENANT)
    *_, result = deliver_occurrence(services, run_endpoint, delivery)
    return result.run or result.reason or SkipReason.DUPLICATE


def delivery_from_message(message: SentMessage, accepted_at: datetime) -> Delivery:
    """Return the delivery of a message of the queue."""
    return Delivery(event=parse_fire_event(message.event), accepted_at=accepted_at, group=message.group)


VISIBILITY_TIMEOUT = timedelta(seconds=240)
"""How long after a delivery that was not acknowledged the queue delivers the message again."""


@dataclass
class PlayedQueue:
    """Delivers what the service sends to the queue of occurrences, at its time and by the world's clock.

    A message is delivered again if its function dies, or cannot decide.
    """

    world: World
    collected_count: int = 0
    """How many of the messages that were sent are in the queue, or were."""
    waiting: list[tuple[datetime, Delivery]] = field(default_factory=list)
    """The messages in the queue, with the time from which each can be delivered."""

    def collect_messages(self) -> None:
        """Take in the messages that were sent since the last time."""
        messages = self.world.list_sent_messages()
        now = self.world.clock[0]
        for message in messages[self.collected_count :]:
            due_at = now + timedelta(seconds=message.delay)
            self.waiting.append((due_at, delivery_from_message(message, now)))
        self.collected_count = len(messages)

    def deliver_until(self, end: datetime) -> list[DeliveryResult]:
        """Advance the clock to `end`, and deliver each message that becomes due, and those that it causes."""
        results: list[DeliveryResult] = []
        self.collect_messages()
        while due := [each for each in self.waiting if each[0] <= end]:
            first = min(due, key=lambda each: each[0])
            self.waiting.remove(first)
            self.world.clock[0] = max(self.world.clock[0], first[0])
            results += self._deliver_message(first[1])
            self.collect_messages()
        self.world.clock[0] = max(self.world.clock[0], end)
        return results

    def _deliver_message(self, delivery: Delivery) -> Sequence[DeliveryResult]:
        try:
            return deliver_occurrence(self.world.services, self.world.runner, delivery)
        except (Killed, Unavailable):
            self.waiting.append((self.world.clock[0] + VISIBILITY_TIMEOUT, delivery))
            return []

    def deliver_for(self, **span: float) -> list[DeliveryResult]:
        """Deliver what becomes due within a span of time."""
        return self.deliver_until(self.world.clock[0] + timedelta(**span))


class ExecuteWhileWaiting:
    """Delivers the next message of the queue at each poll of the command, at the time at which it is due."""

    def __init__(self, world: World, outcomes: Sequence[Outcome]) -> None:
        self.world = world
        self.outcomes = list(outcomes)
        self.queue = PlayedQueue(world)

    def sleep(self, seconds: float) -> None:
        self.world.services.sleep(seconds)
        self.queue.collect_messages()
        if self.queue.waiting and self.outcomes:
            self.world.runner.outcome = self.outcomes.pop(0)
            self.queue.deliver_until(min(due_at for due_at, _ in self.queue.waiting))


def execute_while_waiting(world: World, monkeypatch: pytest.MonkeyPatch, *outcomes: Outcome) -> None:
    """Let the executor work, with these outcomes, whenever a command waits."""
    services = replace(world.services, sleep=ExecuteWhileWaiting(world, outcomes).sleep)
    monkeypatch.setattr(bootstrap, "build_services", lambda *_: services)
