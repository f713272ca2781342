import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType

import pytest
from scheduling.domain.install import Limits
from scheduling.domain.preview import Preview, build_preview
from scheduling.domain.rules import ScheduleInput, ScheduleRules

from tests.unit.builders import endpoint, install


def preview_rule(now: str, cron: str, timezone: str) -> Preview:
    """Preview a rule at a time in UTC."""
    rules = ScheduleRules(
        (endpoint("POST", "/post"),), Limits(), datetime.fromisoformat(now).replace(tzinfo=UTC)
    )
    return build_preview(
        rules, install(), ScheduleInput({"endpoint": "/post", "cron": cron, "timezone": timezone})
    )


@pytest.mark.parametrize(
    ("now", "cron", "timezone", "first", "skipped"),
    [
        pytest.param(
            *("2026-03-28T00:00", "30 2 * * *", "Europe/Berlin"),
            ["2026-03-28T02:30+01:00", "2026-03-30T02:30+02:00"],
            ["2026-03-29T02:30"],
            id="Berlin forward",
        ),
        pytest.param(
            *("2026-10-24T22:59", "30 */2 * * *", "Europe/Berlin"),
            ["2026-10-25T02:30+02:00 twice", "2026-10-25T04:30+01:00"],
            [],
            id="Berlin back: the repeated time fires the first time",
        ),
        pytest.param(
            *("2026-10-25T00:31", "30 2,3 * * *", "Europe/Berlin"),
            ["2026-10-25T03:30+01:00", "2026-10-26T02:30+01:00"],
            [],
            id="Berlin back: after the first time there is no second",
        ),
        pytest.param(
            *("2026-03-08T06:00", "*/30 * * * *", "America/New_York"),
            ["2026-03-08T01:30-05:00", "2026-03-08T03:00-04:00", "2026-03-08T03:30-04:00"],
            ["2026-03-08T02:00", "2026-03-08T02:30"],
            id="New York forward",
        ),
        pytest.param(
            *("2026-11-01T04:45", "*/30 * * * *", "America/New_York"),
            ["2026-11-01T01:00-04:00 twice", "2026-11-01T01:30-04:00 twice", "2026-11-01T02:00-05:00"],
            [],
            id="New York back",
        ),
        pytest.param(
            *("2026-10-03T15:10", "*/15 1-2 * * *", "Australia/Lord_Howe"),
            ["2026-10-04T01:45+10:30", "2026-10-04T02:30+11:00", "2026-10-04T02:45+11:00"],
            ["2026-10-04T02:00", "2026-10-04T02:15"],
            id="Lord Howe forward by half an hour",
        ),
        pytest.param(
            *("2026-04-04T14:10", "*/15 1-2 * * *", "Australia/Lord_Howe"),
            [
                "2026-04-05T01:15+11:00",
                "2026-04-05T01:30+11:00 twice",
                "2026-04-05T01:45+11:00 twice",
                "2026-04-05T02:00+10:30",
            ],
            [],
            id="Lord Howe back by half an hour",
        ),
        pytest.param(
            *("2007-12-08T12:00", "45 2 * * *", "America/Caracas"),
            ["2007-12-09T02:45-04:00 twice", "2007-12-10T02:45-04:30"],
            [],
            id="Caracas when its standard time went back",
        ),
        pytest.param(
            *("2016-04-30T12:00", "45 2 * * *", "America/Caracas"),
            ["2016-05-02T02:45-04:00"],
            ["2016-05-01T02:45"],
            id="Caracas when its standard time went forward",
        ),
        pytest.param(
            *("2026-03-21T12:00", "0,30 2 * * SUN", "Africa/El_Aaiun"),
            ["2026-03-29T02:00+01:00", "2026-03-29T02:30+01:00"],
            ["2026-03-22T02:00", "2026-03-22T02:30"],
            id="El Aaiun after Ramadan",
        ),
        pytest.param(
            *("2026-03-27T12:00", "30 2 * * SAT", "Asia/Gaza"),
            ["2026-04-04T02:30+03:00"],
            ["2026-03-28T02:30"],
            id="Gaza",
        ),
        pytest.param(
            *("2026-03-01T00:00", "30 2 29-31 3 *", "Europe/Berlin"),
            ["2026-03-30T02:30+02:00", "2026-03-31T02:30+02:00", "2027-03-29T02:30+02:00"],
            ["2026-03-29T02:30"],
            id="only some years have the day of the change",
        ),
        pytest.param(
            *("2026-03-29T00:48", "* * * * *", "Europe/Berlin"),
            ["2026-03-29T01:49+01:00"],
            [],
            id="skipped after the tenth fire, omitted",
        ),
        pytest.param(
            *("2026-03-29T00:50", "* * * * *", "Europe/Berlin"),
            ["2026-03-29T01:51+01:00"],
            [f"2026-03-29T02:{minute:02}" for minute in range(60)],
            id="skipped just before the tenth fire, included",
        ),
    ],
)
def test_first_ten_fires_and_their_skips(
    now: str, cron: str, timezone: str, first: list[str], skipped: list[str]
) -> None:
    result = preview_rule(now, cron, timezone)

    fires = [f"{t.wall_time.isoformat(timespec='minutes')}{' twice' * t.repeated}" for t in result.fire_times]
    assert fires[: len(first)] == first
    assert [f"{t.wall_time:%Y-%m-%dT%H:%M}" for t in result.skipped_times] == skipped
    assert len(fires) == 10
    assert [t.utc for t in result.fire_times] == [t.wall_time.astimezone(UTC) for t in result.fire_times]


@pytest.mark.parametrize(
    ("now", "timezone", "years"),
    [
        ("2026-11-23T09:00", "Africa/El_Aaiun", [2028, 2032, 2036, 2040, 2044, 2048, 2052, 2056, 2060, 2064]),
        ("2080-03-01T00:00", "Asia/Gaza", [2084, 2088, 2092, 2096, 2104, 2108, 2112, 2116, 2120, 2124]),
    ],
    ids=["forty years", "2100 is no leap year"],
)
def test_ten_leap_days_are_found_even_decades_ahead(now: str, timezone: str, years: list[int]) -> None:
    assert [fire.wall_time.year for fire in preview_rule(now, "0 0 29 2 *", timezone).fire_times] == years


@pytest.mark.parametrize("timezone", ["UTC", "Africa/El_Aaiun", "Antarctica/Troll", "Asia/Gaza"])
@pytest.mark.parametrize("cron", ["0 0 29 2 *", "0 0 30 2 *", "* * * * *", "30 2 * 3 SUN", "0 9 31 1,3 *"])
def test_a_preview_takes_few_calls(cron: str, timezone: str) -> None:
    """A preview may take 100 ms, four times as long as that many calls take on a machine of 2026."""
    preview_rule("2026-03-29T00:57", "0 0 * * *", timezone)  # a process imports modules and loads zones once

    assert count_calls(lambda: preview_rule("2026-03-29T00:57", cron, timezone)) < 40_000


def count_calls(work: Callable[[], object]) -> int:
    """Count the calls of functions, including those in C."""
    count = 0

    def profile(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
