"""What an operator has to know about a whole stack, as the command `status` and the console show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from scheduling.domain.audit.finds import ScheduleFind
from scheduling.operations.installs.unhealthy import Stopped

_ItemT = TypeVar("_ItemT")

METRICS_WINDOW = timedelta(hours=1)
"""How far back the metrics are read."""


@dataclass(frozen=True, kw_only=True)
class StackMetrics:
    """What the functions have counted within `METRICS_WINDOW`.

    Attributes:
        responses: How many attempts the runner has answered, by code (`domain.deliveries.responses`).
        finished: How many occurrences have ended.
        failed: How many of them have failed for good.
        waiting: How many deliveries found that their occurrence has to wait, by cause.
        max_lateness: The longest time from an occurrence's scheduled time to its delivery; None if there was none.
        oldest_message_age: The age of the oldest message in the queue of occurrences, as SQS reports it; None if
            there is no recent value, as on the local stack.
        reconciled_at: When the reconciler has last reported; None if not within the window.
    """

    responses: Mapping[str, int]
    finished: int
    failed: int
    waiting: Mapping[str, int]
    max_lateness: timedelta | None
    oldest_message_age: timedelta | None
    reconciled_at: datetime | None


@dataclass(frozen=True)
class DeadLetterGroup:
    """Dead letters with the same reason."""

    reason: str
    count: int
    oldest_sent_at: datetime


@dataclass(frozen=True)
class DeadLetterSummary:
    """All dead letters by reason, the largest group first; `complete` is False if there are more than were read."""

    groups: Sequence[DeadLetterGroup]
    complete: bool

    @property
    def count(self) -> int:
        """The number of dead letters that were read."""
        return sum(group.count for group in self.groups)


@dataclass(frozen=True)
class PendingSummary:
    """The changes that EventBridge has not confirmed; `complete` is False if there are more than were read.

    `oldest` names the tenant, the install or the schedule that has been pending longest, since `oldest_since`.
    """

    count: int
    complete: bool
    oldest: str | None = None
    oldest_since: datetime | None = None


@dataclass(frozen=True)
class QueueDepth:
    """The approximate numbers of messages in the queue of occurrences: to be received, being run, and delayed."""

    ready: int
    running: int
    delayed: int

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return not (self.ready or self.running or self.delayed)

    @property
    def is_untouched(self) -> bool:
        """Whether there are messages, but nobody takes them at this moment."""
        return self.ready > 0 and not self.running


@dataclass(frozen=True)
class QueueState:
    """The depth of the queue of occurrences, and the age of its oldest message; None if that is not known."""

    depth: QueueDepth
    oldest_message_age: timedelta | None


@dataclass(frozen=True)
class FailingSchedule:
    """A schedule whose newest run did not succeed, since `since`: it has failed, or it waits."""

    schedule_id: str
    name: str | None
    install_id: str
    tenant_id: str
    since: datetime | None
    waiting: bool
    failures: int
    error: str | None


@dataclass(frozen=True)
class Listed(Generic[_ItemT]):
    """The first items of a list, those first that are in it the longest; `complete` is False if there are more."""

    items: Sequence[_ItemT]
    complete: bool


@dataclass(frozen=True)
class SweepSummary:
    """The sweep under way, or the last one.

    `finds` has how many repairs it has made of each kind, and `schedules` those whose timers it has repaired, the
    newest finds first.
    """

    started_at: datetime | None
    running: bool
    next_at: datetime
    finds: Mapping[str, int]
    schedules: Listed[ScheduleFind] = Listed((), complete=True)


@dataclass(frozen=True)
class Problem:
    """What is wrong; `code` is stable, `text` a sentence, `advice` what to do about it."""

    code: str
    text: str
    advice: str


@dataclass(frozen=True, kw_only=True)
class StackHealth:
    """The whole stack at one moment.

    Attributes:
        metrics: None if CloudWatch does not respond, and then `metrics_problem` says why.
        sweep: None before the reconciler has run for the first time.
        ungranted_installs: Those that have lost `cap:scheduler.manage` while they had schedules.
        unpublished: How many batches of changes the event bus has not accepted.
        problems: What is wrong, the most urgent first; empty if all is well.
    """

    stack_name: str
    region: str
    checked_at: datetime
    metrics: StackMetrics | None
    metrics_problem: str | None
    failing: Listed[FailingSchedule]
    dead_letters: DeadLetterSummary
    pending: PendingSummary
    queue: QueueDepth
    sweep: SweepSummary | None
    paused_tenants: Listed[Stopped]
    disabled_installs: Listed[Stopped]
    ungranted_installs: Listed[Stopped]
    unpublished: int
    problems: Sequence[Problem] = ()
