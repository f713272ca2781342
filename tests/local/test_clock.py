from datetime import UTC, datetime, timedelta

import pytest

from local.clock import LocalClock, format_instant, parse_duration, parse_instant

START = datetime(2026, 11, 23, 9, tzinfo=UTC)


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
def test_duration_is_parsed(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "1H", "-PT1H", "P1Y", "PT1.5H", "P1M", "P99999999999D"]
)
def test_invalid_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is "):
        parse_duration(text)


@pytest.mark.parametrize("text", ["2026-11-23T09:00:00Z", "2026-11-23T04:00:00-05:00", "2026-11-23T09:00Z"])
def test_instant_is_parsed(text: str) -> None:
    assert parse_instant(text) == START


@pytest.mark.parametrize("text", ["", "now", "2026-11-23T09:00:00", "2026-13-01T00:00:00Z"])
def test_invalid_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no zone|not an instant"):
        parse_instant(text)


def test_instant_is_formatted_in_utc_with_z() -> None:
    assert format_instant(START) == "2026-11-23T09:00:00Z"
    assert format_instant(START + timedelta(microseconds=123456)) == "2026-11-23T09:00:00.123Z"


def test_frozen_clock_does_not_advance_until_set() -> None:
    clock = LocalClock(START, frozen=True)
    assert (clock.now(), clock.now(), clock.is_frozen) == (START, START, True)
    clock.freeze_at(START + timedelta(hours=1))
    clock.resume()
    assert clock.now() == START + timedelta(hours=1)


def test_running_clock_continues_from_its_start() -> None:
    clock = LocalClock(START, frozen=False)
    assert START < clock.now() < START + timedelta(seconds=5)
    clock.freeze_at(START + timedelta(hours=1))
    assert clock.now() == clock.now() == START + timedelta(hours=1)
    clock.resume()
    assert START + timedelta(hours=1) < clock.now() < START + timedelta(hours=1, seconds=5)
