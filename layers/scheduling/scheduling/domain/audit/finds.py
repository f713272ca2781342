"""What the sweep finds about the timer of a schedule, kept as a change that the service makes (decision 049)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from scheduling.domain.audit.changes import KeptChange
from scheduling.domain.audit.events import JsonObject
from scheduling.domain.ids import SYSTEM, InstallId, ScheduleId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import DifferenceName, TimerDifference

TIMER_REPAIRED = "TimerRepaired"
"""The name of the change, which is no event: the timer is as its schedule has said all the time."""

_FIELDS: Mapping[DifferenceName, str] = {
    "timer": "timerExists",
    "expression": "timerExpression",
    "timezone": "timerTimezone",
    "spread": "timerSpreadMinutes",
    "revision": "timerRevision",
    "install": "timerInstallId",
    "tenant": "timerGroup",
    "stack": "timerMatchesStack",
    "deletion": "timerDeletesItself",
}
"""The fields of a change by the names of differences; none is a field of a schedule or an install."""

_MAX_TEXT_LENGTH = 256
"""What is kept of a text of the timer, whose input somebody else may have written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFind:
    """How the timer of a schedule differed from it at the time when the sweep found that and began to repair it."""

    install_id: InstallId
    schedule_id: ScheduleId
    time: datetime
    differences: tuple[TimerDifference, ...]

    @property
    def prevents_fires(self) -> bool:
        """Whether the schedule did not fire as it should."""
        return any(each.prevents_fires for each in self.differences)


@dataclass(frozen=True, slots=True)
class ScheduleFind:
    """A find, with the schedule and its install as they are now."""

    find: TimerFind
    install: Install
    schedule: Schedule


def change_from_find(find: TimerFind) -> KeptChange:
    """Return the change to keep; two finds about one schedule within a second are one."""
    time = find.time.replace(microsecond=0)
    return KeptChange(
        install_id=find.install_id,
        schedule_id=find.schedule_id,
        name=TIMER_REPAIRED,
        actor=SYSTEM,
        time=time,
        sequence=str(int(sha256(find.schedule_id.encode()).hexdigest()[:32], 16)),
        before={_FIELDS[each.name]: _shorten(each.actual) for each in find.differences},
        after={_FIELDS[each.name]: _shorten(each.expected) for each in find.differences},
    )


def find_from_change(change: KeptChange) -> TimerFind | None:
    """Return the find that the change is; None if it is another change."""
    if change.name != TIMER_REPAIRED or change.schedule_id is None:
        return None
    before, after = change.before or {}, change.after or {}
    return TimerFind(
        install_id=change.install_id,
        schedule_id=change.schedule_id,
        time=change.time,
        differences=tuple(
            TimerDifference(name, before[field], after[field])
            for name, field in _FIELDS.items()
            if field in before and field in after
        ),
    )


def create_find(schedule: Schedule, differences: Sequence[TimerDifference], now: datetime) -> TimerFind:
    """Return what is found about the schedule's timer at this time."""
    return TimerFind(
        install_id=schedule.install_id, schedule_id=schedule.id, time=now, differences=tuple(differences)
    )


def difference_fields(find: TimerFind) -> Sequence[JsonObject]:
    """Return the differences as JSON."""
    return [
        {"name": each.name, "actual": each.actual, "expected": each.expected} for each in find.differences
    ]


def _shorten(value: object) -> object:
    return value[:_MAX_TEXT_LENGTH] if isinstance(value, str) else value
