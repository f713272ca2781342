"""The periods in which a timer was missing or changed, until the sweep repaired it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduling.domain.audit.changes import KeptChange, writes_timer
from scheduling.domain.audit.finds import TimerFind, find_from_change

from scheduling_admin.console.timeline.gaps import DRAWN_FROM_FIRST, Gap, GapCause
from scheduling_admin.console.timeline.marks import Mark, MarkKind
from scheduling_admin.output.finds import describe_find

_MARK = timedelta(minutes=10)
"""How long the period is drawn if no occurrence was lost in it."""


@dataclass(frozen=True)
class Repair:
    """What the sweep has found; `written_at` is when a change had last written the timer, if one is kept."""

    find: TimerFind
    written_at: datetime | None


def list_repairs(changes: Sequence[KeptChange]) -> list[Repair]:
    """Return the repairs after which occurrences may be missing; `changes` and repairs are the oldest first."""
    repairs: list[Repair] = []
    written_at = None
    for change in changes:
        find = find_from_change(change)
        if find and find.prevents_fires:
            repairs.append(Repair(find, written_at))
        if find or writes_timer(change):
            written_at = change.time
    return repairs


def find_repair_gaps(
    repairs: Sequence[Repair], marks: Sequence[Mark], expected: Sequence[datetime]
) -> Iterator[Gap]:
    """Yield the periods, each from the first occurrence of it without a run.

    Args:
        repairs: The repairs.
        marks: The marks of the runs.
        expected: The occurrences without a run.
    """
    delivered = [mark.moment for mark in marks if mark.was_delivered]
    lost = sorted([*expected, *(mark.moment for mark in marks if mark.kind is MarkKind.MISSED)])
    for repair in repairs:
        time = repair.find.time
        earlier = [repair.written_at, *(each for each in delivered if each < time)]
        after = max(filter(None, earlier), default=None)
        first = next((each for each in lost if each < time and (after is None or each > after)), None)
        is_missing = any(each.name == "timer" for each in repair.find.differences)
        yield Gap(
            GapCause.NO_TIMER if is_missing else GapCause.TIMER_CHANGED,
            first or time - _MARK,
            time,
            " ".join(
                [
                    *describe_find(repair.find),
                    "The sweep repaired it.",
                    *([DRAWN_FROM_FIRST] if first else ()),
                ]
            ),
            start_known=False,
        )
