"""One delivery of an occurrence to the executor, and the message that continues it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduling.domain.fire_events import FireEvent
from scheduling.domain.runs import Fire, Run, SkipReason

HAND_OVER_WINDOW = timedelta(hours=1, minutes=15)
"""How long after its window an occurrence may reach the queue: EventBridge Scheduler tries for an hour."""

_SEND_TOLERANCE = timedelta(minutes=5)
"""How much later than the executor has sent a message SQS may have accepted it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery of an occurrence, by the queue or directly.

    Attributes:
        accepted_at: When the queue accepted the message, or now for a direct event.
        group: The group of the message; None for a direct event.
    """

    event: FireEvent
    accepted_at: datetime
    group: str | None = None

    @property
    def fire(self) -> Fire:
        """The occurrence."""
        return self.event.fire

    @property
    def first_sent_at(self) -> datetime:
        """When the occurrence was first sent to the queue."""
        return self.event.first_sent_at or self.accepted_at

    def is_redriven(self, spread: timedelta) -> bool:
        """Return whether somebody has sent the message again, such as SQS from the dead-letter queue.

        Such a message has no mark of a replay, but the queue has accepted it long after its sender sent it.
        """
        if self.event.sent_at:
            return self.accepted_at > self.event.sent_at + _SEND_TOLERANCE
        due_by = datetime.fromisoformat(self.fire.scheduled_time) + spread
        return self.accepted_at > due_by + HAND_OVER_WINDOW

    def with_nominal_time(self, scheduled_time: str) -> "Delivery":
        """Return this delivery with its occurrence named by the scheduled time."""
        fire = replace(self.fire, scheduled_time=scheduled_time)
        return replace(self, event=replace(self.event, fire=fire))

    def with_occurrence(self, scheduled_time: str) -> "Delivery":
        """Return this delivery as one of another occurrence of the schedule, which runs in its place."""
        fire = replace(self.fire, scheduled_time=scheduled_time)
        first_sent_at = datetime.fromisoformat(scheduled_time)
        return replace(
            self, event=FireEvent(fire=fire, first_sent_at=first_sent_at, sent_at=self.accepted_at)
        )

    def next_event(self, now: datetime, wait_token: str | None) -> FireEvent:
        """Return the event of the message that continues this delivery."""
        return replace(self.event, first_sent_at=self.first_sent_at, sent_at=now, wait_token=wait_token)

    def dead_letter_event(self, now: datetime, wait_token: str) -> FireEvent:
        """Return the event of the dead letter, which is its own replay; it does not wait from the first sending on."""
        return FireEvent(fire=replace(self.fire, replay=True), sent_at=now, wait_token=wait_token)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """What has become of a delivered occurrence.

    Attributes:
        run: The attempt that was made, as the history has it; None if there was none.
        reason: Why there was none.
        continued: Whether a newer message continues the occurrence.
        spread: How long after its scheduled time the occurrence was not late.
    """

    delivery: Delivery
    delivered_at: datetime
    run: Run | None = None
    reason: SkipReason | None = None
    continued: bool = False
    spread: timedelta = timedelta()

    @property
    def lateness(self) -> timedelta:
        """How late it was delivered; within its window it is not late."""
        lateness = self.delivered_at - datetime.fromisoformat(self.delivery.fire.scheduled_time)
        return max(lateness - self.spread, timedelta()) if self.spread else lateness

    @property
    def status(self) -> str:
        """The status of the run, or the reason why there is none."""
        if self.reason is not None:
            return self.reason.value
        return self.run.status.value if self.run else SkipReason.UNKNOWN_SCHEDULE.value
