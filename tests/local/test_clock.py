from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local.clock import LocalClock, format_instant, parse_duration, parse_instant

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT1H", timedelta(hours=1)),
        ("P1D", timedelta(days=1)),
        ("PT90S", timedelta(seconds=90)),
        ("P1W", timedelta(weeks=1)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("PT0S", timedelta()),
    ],
)
def test_durations(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "1H", "-PT1H", "P1Y", "PT1.5H", "P1M", "P99999999999D"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is "):
        parse_duration(text)


@pytest.mark.parametrize("text", ["2026-11-23T09:00:00Z", "2026-11-23T04:00:00-05:00", "2026-11-23T09:00Z"])
def test_instants(text: str) -> None:
    assert parse_instant(text) == NINE


@pytest.mark.parametrize("text", ["", "now", "2026-11-23T09:00:00", "2026-13-01T00:00:00Z"])
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r"no zone|not an instant"):
        parse_instant(text)


def test_instants_are_written_in_utc_with_z() -> None:
    assert format_instant(NINE) == "2026-11-23T09:00:00Z"
    assert format_instant(NINE + timedelta(microseconds=123456)) == "2026-11-23T09:00:00.123Z"


def test_a_frozen_clock_stands_still_until_set() -> None:
    clock = LocalClock(NINE, frozen=True)
    assert (clock.now(), clock.now(), clock.is_frozen) == (NINE, NINE, True)
    clock.freeze_at(NINE + timedelta(hours=1))
    clock.resume()
    assert clock.now() == NINE + timedelta(hours=1)


def test_a_running_clock_runs_on_from_where_it_stood() -> None:
    clock = LocalClock(NINE, frozen=False)
    assert NINE < clock.now() < NINE + timedelta(seconds=5)
    clock.freeze_at(NINE + timedelta(hours=1))
    assert clock.now() == clock.now() == NINE + timedelta(hours=1)
    clock.resume()
    assert NINE + timedelta(hours=1) < clock.now() < NINE + timedelta(hours=1, seconds=5)
