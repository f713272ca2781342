"""An occurrence without a run is remarkable only once its window is over."""

from datetime import timedelta

import pytest

from scheduling_admin.console.timeline.lanes import History, TimerState, build_lane
from scheduling_admin.console.timeline.marks import MarkKind
from scheduling_admin.console.timeline.window import TimeWindow
from tests.unit.builders import NOW, install, schedule


@pytest.mark.parametrize(
    ("minutes", "kind"),
    [
        pytest.param(16, MarkKind.UPCOMING, id="in its window"),
        pytest.param(18, MarkKind.NO_RECORD, id="after it"),
    ],
)
def test_an_occurrence_is_upcoming_until_its_window_is_over(minutes: int, kind: MarkKind) -> None:
    now = NOW + timedelta(minutes=minutes)
    row = schedule(created_at=NOW - timedelta(days=1), spread_minutes=15)
    timer = TimerState(missing=False, spread=timedelta(minutes=15))

    lane = build_lane(install(), row, History(()), timer, TimeWindow("6h", now, now))

    assert [(mark.scheduled_time, mark.kind) for mark in lane.marks] == [("2026-11-23T09:00:00Z", kind)]
