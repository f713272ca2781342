"""The progress of the full sweep, its parts, and the timers that it compares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from scheduling.domain.cron.eventbridge import eventbridge_expression
from scheduling.domain.cron.rule import parse_rule
from scheduling.domain.deliveries.completion import has_passed
from scheduling.domain.fire_events import message_group
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Limits
from scheduling.domain.schedule import Schedule


class SweepPhase(StrEnum):
    """A phase of a sweep: it goes through all installs, then through all timers."""

    INSTALLS = "installs"
    TIMERS = "timers"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepState:
    """The progress of the sweep.

    Attributes:
        phase: None between sweeps.
        cursor: The position in the phase; None at its beginning.
        started_at: When the sweep under way, or the last one, started; None before the first one.
        repairs: How many repairs it has made so far of each kind.
        unreadable: Why the stored progress cannot be used, if it cannot: a sweep then starts at once.
    """

    next_sweep_at: datetime
    phase: SweepPhase | None = None
    cursor: str | None = None
    started_at: datetime | None = None
    repairs: Mapping[str, int] = field(default_factory=dict)
    unreadable: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPart:
    """Some installs or timers, by their ids, which one invocation checks."""

    phase: SweepPhase
    ids: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartResult:
    """What became of a part.

    Attributes:
        checked: How many of its items were checked, the first ones; the rest has to be checked again.
        repairs: How many repairs there were of each kind, also of items after the first ones.
        throttled: Whether EventBridge or DynamoDB did not respond.
    """

    checked: int
    repairs: Mapping[str, int]
    throttled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerSnapshot:
    """A timer as EventBridge Scheduler has it.

    Attributes:
        install_id: None if the timer's input does not name an install.
        group: The group of its messages; None in timers of releases without a queue.
        revision: None if the timer's input has no revision.
        deletes_itself: Whether EventBridge deletes it after its last fire.
        spread_minutes: Its flexible time window; 0 if it has none.
        created_at: When EventBridge created it; None where it does not say.
        matches_stack: Whether target, role, queues and state are those of this stack.
    unreadable: Why what the timer has is not that of a timer of this service, if it is not.
    """

    schedule_id: ScheduleId
    install_id: InstallId | None
    group: str | None
    expression: str
    timezone: str
    timer_revision: int | None
    matches_stack: bool
    deletes_itself: bool = False
    spread_minutes: int = 0
    created_at: datetime | None = None
    unreadable: str | None = None


DifferenceName = Literal[
    "timer", "expression", "timezone", "spread", "revision", "install", "tenant", "stack", "deletion"
]
_PREVENTING_NAMES = ("timer", "expression", "timezone", "install", "stack")


@dataclass(frozen=True, slots=True)
class TimerDifference:
    """One property in which a timer differs from its schedule's desired state."""

    name: DifferenceName
    actual: object
    expected: object

    @property
    def prevents_fires(self) -> bool:
        """Whether the schedule does not fire as it should because of it.

        A timer of an earlier revision, or of another group of messages, still delivers the schedule's occurrences, and
        of one that should not exist none is run.
        """
        return self.name in _PREVENTING_NAMES and not (self.name == "timer" and self.actual)


def find_timer_differences(
    timer: TimerSnapshot | None, schedule: Schedule, limits: Limits, now: datetime
) -> Sequence[TimerDifference]:
    """Return how the timer of a schedule differs from its desired state: nothing where they match.

    `timer` is the difference where one exists and should not, or the reverse (as booleans); `stack` is
    `TimerSnapshot.matches_stack`. The timer that an unreadable schedule should have is not known, so any matches,
    and that of a one-time schedule deletes itself once its time has passed, so none and any match.
    """
    if schedule.should_have_timer and (schedule.unreadable or has_passed(schedule, now)):
        return []
    if timer is None or not schedule.should_have_timer:
        exists = timer is not None
        if exists == schedule.should_have_timer:
            return []
        return [TimerDifference("timer", exists, schedule.should_have_timer)]
    from scheduling.domain.deliveries.spread import spread_minutes  # most functions compare no timers

    comparisons = (
        TimerDifference(
            "expression", timer.expression, eventbridge_expression(parse_rule(schedule.definition.cron))
        ),
        TimerDifference("timezone", timer.timezone, schedule.definition.timezone),
        TimerDifference("spread", timer.spread_minutes, spread_minutes(schedule, limits)),
        TimerDifference("revision", timer.timer_revision, schedule.timer_revision),
        TimerDifference("install", timer.install_id, schedule.install_id),
        TimerDifference("tenant", timer.group, message_group(schedule)),
        TimerDifference("deletion", timer.deletes_itself, schedule.definition.is_one_time),
        TimerDifference("stack", timer.matches_stack, True),
    )
    return [each for each in comparisons if each.actual != each.expected]
