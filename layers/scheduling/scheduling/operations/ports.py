"""What the operations need of the systems beside the table; `aws` has the implementations."""

from collections.abc import Sequence
from typing import Protocol

from scheduling.domain.ids import ScheduleId
from scheduling.domain.install import Install, InstallConfig
from scheduling.domain.runs import Fire, Outcome
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import Timer


class TimerFailed(Exception):
    """EventBridge did not do as told. `refused`: it said no; else what it did is unknown."""

    def __init__(self, text: str, *, refused: bool) -> None:
        super().__init__(text)
        self.refused = refused


class Timers(Protocol):
    """EventBridge Scheduler, one timer per schedule. Every method raises TimerFailed."""

    def put(self, schedule: Schedule, *, exists: bool) -> None:
        """Make the schedule's timer be as its row says, whatever stands; `exists` is the likelier case."""

    def remove(self, schedule_id: ScheduleId) -> None:
        """Make the timer be gone; absent already is well."""

    def get(self, schedule_id: ScheduleId) -> Timer | None:
        """What stands under the schedule's id."""

    def matches(self, timer: Timer, schedule: Schedule) -> bool:
        """Whether the timer is as `put` would make it."""

    def page(self, cursor: str | None) -> tuple[Sequence[ScheduleId], str | None]:
        """Some timers of the group, and the cursor of the next ones; None at the end."""


class Runner(Protocol):
    """The service that executes extensions."""

    def execute(self, fire: Fire, install: Install, config: InstallConfig, schedule: Schedule) -> Outcome:
        """Call the endpoint. Whatever goes wrong is in the outcome, not raised."""


class Executor(Protocol):
    """The function that runs occurrences."""

    def deliver(self, fire: Fire) -> None:
        """Let it be run apart from this call. Raises Unavailable, and then it may have been delivered."""
