from datetime import UTC, datetime, timedelta

import pytest
from scheduling.domain.cron.grammar import parse_cron

from scheduling_admin.output.times import (
    OccurrenceTime,
    find_last_fire,
    find_nonexistent_times,
    format_duration,
    format_local_and_utc,
    format_wall_time,
    parse_occurrence_time,
)
from scheduling_admin.queries.views import list_next_fires
from tests.unit.builders import definition

BERLIN = "Europe/Berlin"
NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


def naive_datetime(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "2026-11-23T09:00:00Z",
            OccurrenceTime("2026-11-23T09:00:00Z", NINE, naive_datetime(2026, 11, 23, 10), False, False),
        ),
        (
            "2026-11-23T10:00+01:00",
            OccurrenceTime("2026-11-23T09:00:00Z", NINE, naive_datetime(2026, 11, 23, 10), False, False),
        ),
        (
            " 2026-11-23 10:00 ",
            OccurrenceTime("2026-11-23T09:00:00Z", NINE, naive_datetime(2026, 11, 23, 10), False, False),
        ),
        (
            "2026-11-23T09:00:00.123Z",
            OccurrenceTime(
                "2026-11-23T09:00:00.123Z",
                NINE + timedelta(milliseconds=123),
                naive_datetime(2026, 11, 23, 10) + timedelta(milliseconds=123),
                False,
                True,
            ),
        ),
        (
            "2027-03-28T02:30",
            OccurrenceTime(
                "2027-03-28T01:30:00Z",
                datetime(2027, 3, 28, 1, 30, tzinfo=UTC),
                naive_datetime(2027, 3, 28, 2, 30),
                True,
                False,
            ),
        ),
        (
            "2027-10-31T02:30",
            OccurrenceTime(
                "2027-10-31T00:30:00Z",
                datetime(2027, 10, 31, 0, 30, tzinfo=UTC),
                naive_datetime(2027, 10, 31, 2, 30),
                False,
                False,
            ),
        ),
    ],
    ids=["utc", "offset", "wall clock", "manual", "nonexistent", "repeated"],
)
def test_a_time_without_an_offset_is_parsed_in_the_schedule_s_zone(
    text: str, expected: OccurrenceTime
) -> None:
    assert parse_occurrence_time(text, BERLIN) == expected


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "09:00", "2026-13-01T00:00", "0001-01-01T00:00+14:00", "9999-12-31T23:59Z"]
)
def test_an_invalid_time_is_rejected_with_an_example(text: str) -> None:
    with pytest.raises(
        ValueError, match="is not a time such as 2026-11-23T09:00:00Z, or 2026-11-23T09:00 in"
    ):
        parse_occurrence_time(text, BERLIN)


def test_the_next_fires_are_those_of_the_rule_in_its_zone() -> None:
    weekly = definition(cron="0 9 * * MON", timezone=BERLIN)
    assert [time.utc for time in list_next_fires(weekly, NINE, 2)] == [
        datetime(2026, 11, 30, 8, tzinfo=UTC),
        datetime(2026, 12, 7, 8, tzinfo=UTC),
    ]
    assert list_next_fires(weekly, NINE, 0) == []


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("*/5 * * * *", NINE - timedelta(minutes=5)),
        ("0 9 * * *", NINE - timedelta(days=1)),
        ("0 0 1 * *", datetime(2026, 11, 1, tzinfo=UTC)),
        ("0 0 1 12 *", datetime(2025, 12, 1, tzinfo=UTC)),
        ("0 0 29 2 *", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_the_last_fire_is_returned_however_long_ago(cron: str, expected: datetime) -> None:
    assert find_last_fire(parse_cron(cron), "UTC", NINE) == expected


def test_the_last_fire_may_be_eight_years_ago() -> None:
    leap_day = parse_cron("0 0 29 2 *")
    fire = find_last_fire(leap_day, "UTC", datetime(2104, 2, 29, tzinfo=UTC))
    assert fire == datetime(2096, 2, 29, tzinfo=UTC)


def test_local_times_do_not_exist_where_clocks_go_forward() -> None:
    half_hours = parse_cron("*/30 * * * *")
    day = datetime(2027, 3, 28, tzinfo=UTC)
    assert find_nonexistent_times(half_hours, BERLIN, day, day + timedelta(hours=3)) == [
        naive_datetime(2027, 3, 28, 2),
        naive_datetime(2027, 3, 28, 2, 30),
    ]
    assert find_nonexistent_times(half_hours, "UTC", day, day + timedelta(hours=3)) == []


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", "Mon 2026-11-23 09:00 UTC"),
        (BERLIN, "Mon 2026-11-23 10:00 CET (2026-11-23T09:00:00Z)"),
        ("America/Sao_Paulo", "Mon 2026-11-23 06:00 -03 (2026-11-23T09:00:00Z)"),
        ("Asia/Kathmandu", "Mon 2026-11-23 14:45 +0545 (2026-11-23T09:00:00Z)"),
    ],
)
def test_a_moment_is_formatted_on_the_wall_clock_and_in_utc(zone: str, expected: str) -> None:
    assert format_local_and_utc(NINE, zone) == expected


def test_nonzero_seconds_are_formatted() -> None:
    assert format_wall_time(naive_datetime(2026, 11, 23, 9, 0, 5)) == "Mon 2026-11-23 09:00:05"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 ms"),
        (0.4404, "440 ms"),
        (0.9999, "1.0 s"),
        (9.94, "9.9 s"),
        (30, "30 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (90_061, "1 d 1 h"),
        (86_400 * 31, "31 d"),
    ],
)
def test_a_duration_is_formatted_in_two_units_at_most(seconds: float, expected: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == expected
