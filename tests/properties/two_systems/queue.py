"""The queue of occurrences of `test_two_systems`, and its dead letters: each message at least once, in no order."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from scheduling.domain.deliveries.delivery import Delivery
from scheduling.domain.fire_events import FireEvent, parse_fire_event
from scheduling.domain.runs import Fire

from tests.properties.two_systems.commands import DeliverMessage, Redrive
from tests.support.stacks.world import DEAD_LETTER_QUEUE_URL, TENANT, TIMER_SETTINGS, World

_REDRIVEN_AFTER = timedelta(minutes=6)
"""Later than a message that nobody has sent again would be accepted."""


@dataclass(eq=False)
class Message:
    """A message in the queue; it can be delivered from `due_at` on, and is deleted once it is acknowledged."""

    delivery: Delivery
    due_at: datetime


class Queue:
    """The messages that were sent, by timers too, and not yet acknowledged."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._collected = dict.fromkeys((TIMER_SETTINGS.occurrence_queue_url, DEAD_LETTER_QUEUE_URL), 0)
        self.messages: list[Message] = []
        self.dead_letters: list[FireEvent] = []
        self.dead_lettered: set[tuple[str, str]] = set()

    def collect_messages(self) -> None:
        """Take in what was sent since the last time."""
        now = self._world.clock[0]
        for sent in self._collect(TIMER_SETTINGS.occurrence_queue_url):
            delay = timedelta(seconds=sent.get("DelaySeconds", 0))
            event = parse_fire_event(json.loads(sent["MessageBody"]))
            self.messages.append(Message(Delivery(event=event, accepted_at=now, group=TENANT), now + delay))
        letters = [
            parse_fire_event(json.loads(sent["MessageBody"])) for sent in self._collect(DEAD_LETTER_QUEUE_URL)
        ]
        self.dead_letters += letters
        self.dead_lettered.update((each.fire.schedule_id, each.fire.scheduled_time) for each in letters)

    def _collect(self, url: str) -> Sequence[Mapping[str, Any]]:
        assert self._world.memory
        sent = self._world.memory.queues.sent.get(url, [])
        new = sent[self._collected[url] :]
        self._collected[url] = len(sent)
        return new

    def add_fire(self, fire: Fire) -> Message:
        """Send the occurrence as its timer does."""
        now = self._world.clock[0]
        event = FireEvent(fire=fire)
        message = Message(Delivery(event=event, accepted_at=now, group=TENANT), now)
        self.messages.append(message)
        return message

    def select_message(self, command: DeliverMessage) -> Message | None:
        """Return one of the newest messages, at the earliest at its time; to keep it, as a copy."""
        if not self.messages:
            return None
        message = self.messages[-1 - command.number % len(self.messages)]
        self._world.clock[0] = max(self._world.clock[0], message.due_at)
        if command.repeated:
            self.messages.append(Message(message.delivery, self._world.clock[0]))
        return message

    def redrive_message(self, command: Redrive) -> Message | None:
        """Move a dead letter to the queue, or a message that SQS itself has moved, which has no mark of a replay."""
        events = self.dead_letters if command.marked else [each.delivery.event for each in self.messages]
        if not events:
            return None
        number = len(events) - 1 - command.number % len(events)
        event = self.dead_letters.pop(number) if command.marked else self.messages.pop(number).delivery.event
        self._world.clock[0] += _REDRIVEN_AFTER
        now = self._world.clock[0]
        sent_at = event.sent_at or now - _REDRIVEN_AFTER
        message = Message(Delivery(event=replace(event, sent_at=sent_at), accepted_at=now, group=TENANT), now)
        self.messages.append(message)
        return message

    def copy_dead_letters(self) -> Sequence[Fire]:
        """Send all dead letters to the queue, and return their occurrences."""
        now = self._world.clock[0]
        for event in self.dead_letters:
            self.messages.append(Message(Delivery(event=event, accepted_at=now, group=TENANT), now))
        return [event.fire for event in self.dead_letters]

    def take_next(self) -> Message | None:
        """Advance the clock to the next message's time and return it; None if there is no message."""
        if not self.messages:
            return None
        message = min(self.messages, key=lambda each: each.due_at)
        self._world.clock[0] = max(self._world.clock[0], message.due_at)
        return message

    def acknowledge(self, message: Message) -> None:
        """Delete the message; another delivery of it may have done so before."""
        if message in self.messages:
            self.messages.remove(message)
