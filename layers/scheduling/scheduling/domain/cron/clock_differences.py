"""Occurrences that ran at another time, since EventBridge's time zone data differs from this service's.

A country that changes its clock at short notice is in one of the two first: until the other follows, a timer fires at
the right time on the wall clock by the one, and at another time by the other.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

MAX_CLOCK_DIFFERENCE = timedelta(hours=3)
"""The largest difference that is considered: clocks change by half an hour, one, two or, rarely, three hours."""

_STEP = timedelta(minutes=30)
_DIFFERENCES = [
    sign * step * _STEP for step in range(1, MAX_CLOCK_DIFFERENCE // _STEP + 1) for sign in (1, -1)
]
_MAX_DISTANCE = timedelta(days=1)


def find_shifted_times(
    moment: datetime, is_due: Callable[[datetime], bool], is_recorded: Callable[[datetime], bool]
) -> Iterator[datetime]:
    """Yield the times at which the occurrence of `moment` may have been delivered by another clock.

    Several occurrences of a day are shifted together: if 9:00 and 10:00 were delivered an hour early, 9:00 is recorded
    for 10:00, and only 8:00 is no time of the rule.

    Args:
        moment: A time that is due and not recorded.
        is_due: Whether a time is one of the rule.
        is_recorded: Whether a time is in the history.
    """
    for difference in _DIFFERENCES:
        other = moment + difference
        while abs(other - moment) <= _MAX_DISTANCE and is_recorded(other):
            if not is_due(other):
                yield other
                break
            other += difference
