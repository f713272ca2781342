"""What a kept change means for the timer of a schedule."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from scheduling.domain.audit.changes import KeptChange, writes_timer
from scheduling.domain.audit.finds import TIMER_REPAIRED
from scheduling.domain.ids import InstallId

Fields = Mapping[str, object] | None


@pytest.mark.parametrize(
    ("name", "before", "after", "writes"),
    [
        ("ScheduleCreated", None, {"cron": "0 * * * *"}, True),
        ("ScheduleDeleted", {"cron": "0 * * * *"}, None, True),
        ("InstallRegistered", None, {"enabled": True}, True),
        ("InstallDeleted", {"enabled": True}, None, True),
        ("ScheduleUpdated", {"cron": "0 * * * *"}, {"cron": "5 * * * *"}, True),
        ("ScheduleUpdated", {"timezone": "UTC"}, {"timezone": "Asia/Tokyo"}, True),
        ("ScheduleUpdated", {"spreadMinutes": None}, {"spreadMinutes": 10}, True),
        ("ScheduleUpdated", {"name": "a"}, {"name": "b"}, False),
        ("ScheduleUpdated", {}, {}, False),
        ("SchedulePaused", {"enabled": True}, {"enabled": False}, True),
        ("InstallChanged", {"paused": False}, {"paused": True}, True),
        ("InstallChanged", {"grantedCapabilities": ["a"]}, {"grantedCapabilities": []}, True),
        ("InstallMoved", {"versionId": "v1"}, {"versionId": "v2"}, False),
        ("RunRequested", None, {"trigger": "manual"}, False),
        ("BackfillRequested", None, {"which": "all"}, False),
        (TIMER_REPAIRED, {"timerExists": False}, {"timerExists": True}, False),
    ],
)
def test_what_sets_or_deletes_a_timer(name: str, before: Fields, after: Fields, writes: bool) -> None:
    change = KeptChange(
        install_id=InstallId("install-1"),
        schedule_id=None,
        name=name,
        actor="host_api",
        time=datetime(2026, 11, 23, 9, tzinfo=UTC),
        sequence="1",
        before=before,
        after=after,
    )

    assert writes_timer(change) is writes
