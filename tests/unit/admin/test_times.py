from datetime import UTC, datetime, timedelta

import pytest
from scheduling.domain.cron.grammar import parse_cron

from scheduling_admin.output.times import (
    Asked,
    asked,
    both_text,
    last_fire,
    next_fires,
    skipped_times,
    span_text,
    wall_text,
)
from tests.unit.builders import definition

BERLIN = "Europe/Berlin"
NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


def naive(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T09:00:00Z", Asked("2026-11-23T09:00:00Z", NINE, naive(2026, 11, 23, 10), False, False)),
        (
            "2026-11-23T10:00+01:00",
            Asked("2026-11-23T09:00:00Z", NINE, naive(2026, 11, 23, 10), False, False),
        ),
        (" 2026-11-23 10:00 ", Asked("2026-11-23T09:00:00Z", NINE, naive(2026, 11, 23, 10), False, False)),
        (
            "2026-11-23T09:00:00.123Z",
            Asked(
                "2026-11-23T09:00:00.123Z",
                NINE + timedelta(milliseconds=123),
                naive(2026, 11, 23, 10) + timedelta(milliseconds=123),
                False,
                True,
            ),
        ),
        (
            "2027-03-28T02:30",
            Asked(
                "2027-03-28T01:30:00Z",
                datetime(2027, 3, 28, 1, 30, tzinfo=UTC),
                naive(2027, 3, 28, 2, 30),
                True,
                False,
            ),
        ),
        (
            "2027-10-31T02:30",
            Asked(
                "2027-10-31T00:30:00Z",
                datetime(2027, 10, 31, 0, 30, tzinfo=UTC),
                naive(2027, 10, 31, 2, 30),
                False,
                False,
            ),
        ),
    ],
    ids=["utc", "offset", "wall clock", "by hand", "does not exist", "comes twice"],
)
def test_a_time_is_read_in_the_zone_where_it_has_no_offset(text: str, expected: Asked) -> None:
    assert asked(text, BERLIN) == expected


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "09:00", "2026-13-01T00:00", "0001-01-01T00:00+14:00", "9999-12-31T23:59Z"]
)
def test_what_is_no_time_is_told_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is no time such as 2026-11-23T09:00:00Z, or 2026-11-23T09:00 in"):
        asked(text, BERLIN)


def test_the_next_fires_are_those_of_the_rule_in_its_zone() -> None:
    weekly = definition(cron="0 9 * * MON", timezone=BERLIN)
    assert next_fires(weekly, NINE, 2) == [
        datetime(2026, 11, 30, 8, tzinfo=UTC),
        datetime(2026, 12, 7, 8, tzinfo=UTC),
    ]
    assert next_fires(weekly, NINE, 0) == []


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
def test_the_last_fire_is_found_however_long_ago(cron: str, expected: datetime) -> None:
    assert last_fire(parse_cron(cron), "UTC", NINE) == expected


def test_the_last_fire_may_be_eight_years_ago() -> None:
    leap_day = parse_cron("0 0 29 2 *")
    found = last_fire(leap_day, "UTC", datetime(2104, 2, 29, tzinfo=UTC))
    assert found == datetime(2096, 2, 29, tzinfo=UTC)


def test_local_times_are_skipped_where_clocks_are_put_forward() -> None:
    half_hours = parse_cron("*/30 * * * *")
    day = datetime(2027, 3, 28, tzinfo=UTC)
    assert skipped_times(half_hours, BERLIN, day, day + timedelta(hours=3)) == [
        naive(2027, 3, 28, 2),
        naive(2027, 3, 28, 2, 30),
    ]
    assert skipped_times(half_hours, "UTC", day, day + timedelta(hours=3)) == []


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", "Mon 2026-11-23 09:00 UTC"),
        (BERLIN, "Mon 2026-11-23 10:00 CET (2026-11-23T09:00:00Z)"),
        ("America/Sao_Paulo", "Mon 2026-11-23 06:00 -03 (2026-11-23T09:00:00Z)"),
        ("Asia/Kathmandu", "Mon 2026-11-23 14:45 +0545 (2026-11-23T09:00:00Z)"),
    ],
)
def test_a_moment_is_shown_on_the_wall_clock_and_in_utc(zone: str, expected: str) -> None:
    assert both_text(NINE, zone) == expected


def test_seconds_are_shown_where_there_are_any() -> None:
    assert wall_text(naive(2026, 11, 23, 9, 0, 5)) == "Mon 2026-11-23 09:00:05"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (90_061, "1 d 1 h"),
        (86_400 * 31, "31 d"),
    ],
)
def test_a_span_is_told_in_two_units_at_most(seconds: float, expected: str) -> None:
    assert span_text(timedelta(seconds=seconds)) == expected
