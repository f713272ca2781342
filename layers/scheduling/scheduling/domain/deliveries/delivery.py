"""One delivery of an occurrence to the executor, and the message that continues it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from scheduling.domain.deliveries.responses import NO_CONNECTION
from scheduling.domain.fire_events import FireEvent
from scheduling.domain.runs import Fire, Run, RunStatus, SkipReason

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


class WaitingCause(StrEnum):
    """Why an occurrence waits in a newer message."""

    NO_CAPACITY = "no_capacity"
    """The runner has answered 429 or 503."""
    NO_CONNECTION = "no_connection"
    """No connection to the runner was made."""
    OVERLAP = "overlap"
    """Another occurrence of the schedule is under way."""
    RUNNING = "running"
    """An attempt at it may still be running, or its next one may not start yet."""
    TABLE = "table"
    """DynamoDB does not respond."""


_CAUSES_BY_REASON = {
    SkipReason.OVERLAP: WaitingCause.OVERLAP,
    SkipReason.RUNNING: WaitingCause.RUNNING,
    SkipReason.UNAVAILABLE: WaitingCause.TABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """What has become of a delivered occurrence.

    Attributes:
        run: The attempt that was made, as the history has it; None if there was none.
        reason: Why there was none.
        continued: Whether a newer message continues the occurrence.
        runner_response: The code of what the runner has answered; None if it was not called.
        spread: How long after its scheduled time the occurrence was not late.
    """

    delivery: Delivery
    delivered_at: datetime
    run: Run | None = None
    reason: SkipReason | None = None
    continued: bool = False
    runner_response: str | None = None
    spread: timedelta = timedelta()

    @property
    def lateness(self) -> timedelta:
        """How late it was delivered; within its window it is not late."""
        lateness = self.delivered_at - datetime.fromisoformat(self.delivery.fire.scheduled_time)
        return max(lateness - self.spread, timedelta()) if self.spread else lateness

    @property
    def waiting_cause(self) -> WaitingCause | None:
        """Why the occurrence waits, if it does; one that is retried after a failure does not."""
        if not self.continued:
            return None
        if self.run is None:
            return _CAUSES_BY_REASON.get(self.reason) if self.reason else None
        if self.run.status is not RunStatus.WAITING:
            return None
        no_connection = self.runner_response == NO_CONNECTION
        return WaitingCause.NO_CONNECTION if no_connection else WaitingCause.NO_CAPACITY

    @property
    def failed(self) -> bool:
        """Whether the occurrence has failed for good: only an operator can have it run again."""
        if self.continued:
            return False
        if self.run is None:
            return self.reason is SkipReason.UNAVAILABLE  # it has waited for the table as long as it may
        return self.run.status is RunStatus.ERROR

    @property
    def finished(self) -> bool:
        """Whether the occurrence has run and ended, or failed for good."""
        return self.failed or (self.run is not None and self.run.status is RunStatus.SUCCESS)

    @property
    def status(self) -> str:
        """The status of the run, or the reason why there is none."""
        if self.reason is not None:
            return self.reason.value
        return self.run.status.value if self.run else SkipReason.UNKNOWN_SCHEDULE.value
