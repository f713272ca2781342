from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from local.scheduler.expression import parse_cron, parse_expression


def list_fires(expression: str, zone: str, start: str, count: int = 3) -> list[str]:
    cron, instant, times = parse_cron(expression), datetime.fromisoformat(start), []
    for _ in range(count):
        next_time = cron.next_after(instant, ZoneInfo(zone))
        if next_time is None:
            break
        instant = next_time
        times.append(instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M"))
    return times


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(*/20 * * * ? *)", ["2026-11-23 09:20", "2026-11-23 09:40", "2026-11-23 10:00"]),
        ("cron(50/5 9 * * ? *)", ["2026-11-23 09:50", "2026-11-23 09:55", "2026-11-24 09:50"]),
        ("cron(0 9-17/4 * * ? *)", ["2026-11-23 13:00", "2026-11-23 17:00", "2026-11-24 09:00"]),
        ("cron(0 0 ? * 1 *)", ["2026-11-29 00:00", "2026-12-06 00:00", "2026-12-13 00:00"]),
        ("cron(0 0 ? * MON,sat *)", ["2026-11-28 00:00", "2026-11-30 00:00", "2026-12-05 00:00"]),
        ("cron(0 0 31 * ? *)", ["2026-12-31 00:00", "2027-01-31 00:00", "2027-03-31 00:00"]),
        ("cron(0 0 29 FEB ? *)", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        ("cron(0 0 30 2 ? *)", []),
        ("cron(0 0 1 1 ? 2028-2029)", ["2028-01-01 00:00", "2029-01-01 00:00"]),
    ],
)
def test_next_fire_times_match_the_expression(expression: str, expected: list[str]) -> None:
    assert list_fires(expression, "UTC", "2026-11-23T09:00:00Z") == expected


@pytest.mark.parametrize(
    ("expression", "start", "expected"),
    [
        # 2026-03-08: 02:00 to 03:00 does not exist in New York.
        ("cron(30 2 * * ? *)", "2026-03-07T00:00:00-05:00", ["2026-03-07 07:30", "2026-03-09 06:30"]),
        ("cron(0 3 * * ? *)", "2026-03-08T00:00:00-05:00", ["2026-03-08 07:00", "2026-03-09 07:00"]),
        ("cron(*/30 * * * ? *)", "2026-03-08T01:00:00-05:00", ["2026-03-08 06:30", "2026-03-08 07:00"]),
        # 2026-11-01: 01:00 to 02:00 happens twice; the first is 05:00 UTC, the second 06:00.
        ("cron(30 1 * * ? *)", "2026-11-01T00:00:00-04:00", ["2026-11-01 05:30", "2026-11-02 06:30"]),
        ("cron(30 1 * * ? *)", "2026-11-01T05:45:00Z", ["2026-11-02 06:30", "2026-11-03 06:30"]),
        ("cron(*/30 * * * ? *)", "2026-11-01T05:15:00Z", ["2026-11-01 05:30", "2026-11-01 07:00"]),
        ("cron(*/30 * * * ? *)", "2026-11-01T06:10:00Z", ["2026-11-01 07:00", "2026-11-01 07:30"]),
    ],
)
def test_nonexistent_local_time_is_skipped_and_repeated_one_fires_once(
    expression: str, start: str, expected: list[str]
) -> None:
    assert list_fires(expression, "America/New_York", start, count=2) == expected


def test_day_that_a_zone_skips_has_no_fire() -> None:
    # Samoa had no 30 December 2011.
    days = list_fires("cron(0 12 * * ? *)", "Pacific/Apia", "2011-12-29T12:00:00Z", count=2)
    assert days == ["2011-12-29 22:00", "2011-12-30 22:00"]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("rate(5 minutes)", "is not cron"),
        ("cron(0 9 * * *)", "is not cron"),
        ("cron(0 9 * * * *)", "exactly one"),
        ("cron(0 9 ? * ? *)", "exactly one"),
        ("cron(60 9 * * ? *)", "minute '60' is out of range"),
        ("cron(0 9 ? * 0 *)", "day of week '0' is out of range"),
        ("cron(0 9 ? * 7-1 *)", "day of week '7-1' selects no value"),
        ("cron(*/0 9 * * ? *)", "minute '\\*/0' selects no value"),
        ("cron(0 9 L * ? *)", "day of month 'L' is out of range"),
        ("cron(0, 9 * * ? *)", "minute '' is not understood"),
    ],
)
def test_expression_refused_by_eventbridge_is_an_error(expression: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        parse_cron(expression)


@pytest.mark.parametrize(
    ("expression", "zone", "start", "fire"),
    [
        ("at(2026-12-01T09:00:00)", "UTC", "2026-11-23T09:00:00+00:00", "2026-12-01T09:00:00+00:00"),
        (
            "at(2026-12-01T09:00:30)",
            "Europe/Berlin",
            "2026-11-23T09:00:00+00:00",
            "2026-12-01T08:00:30+00:00",
        ),
        ("at(2026-12-01T09:00:00)", "UTC", "2026-12-01T09:00:00+00:00", None),
        (
            "at(2027-10-31T02:30:00)",
            "Europe/Berlin",
            "2026-11-23T09:00:00+00:00",
            "2027-10-31T00:30:00+00:00",
        ),
        ("at(2027-03-28T02:30:00)", "Europe/Berlin", "2026-11-23T09:00:00+00:00", None),
    ],
)
def test_a_one_time_expression_fires_once(expression: str, zone: str, start: str, fire: str | None) -> None:
    instant = datetime.fromisoformat(start)
    expected = datetime.fromisoformat(fire) if fire else None
    assert parse_expression(expression).next_after(instant, ZoneInfo(zone)) == expected


@pytest.mark.parametrize(
    "expression", ["at(2026-12-01T09:00)", "at(2026-12-01)", "at(2026-02-30T09:00:00)", "rate(1 hour)"]
)
def test_what_eventbridge_does_not_know_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"cron\(…\)|day is out of range"):
        parse_expression(expression)
