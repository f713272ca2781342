from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from scheduling.domain.cron.grammar import parse_cron
from scheduling.domain.cron.occurrences import fire_times, fires_at, local_times, next_fire_time


def parse_utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def list_fires(text: str, timezone: str, after: str, until: str) -> list[str]:
    """The fires in UTC, without the seconds."""
    times = fire_times(parse_cron(text), timezone, parse_utc(after), parse_utc(until))
    return [fire.replace(tzinfo=None).isoformat(timespec="minutes") for fire in times]


@pytest.mark.parametrize(
    ("text", "timezone", "after", "until", "expected"),
    [
        pytest.param(
            *("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00", "2026-03-30T12:00"),
            ["2026-03-28T01:30", "2026-03-30T00:30"],
            id="Berlin: 02:30 is skipped on 29 March",
        ),
        pytest.param(
            *("0,30 1-3 * * *", "Europe/Berlin", "2026-03-29T00:00", "2026-03-29T01:30"),
            ["2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30"],
            id="Berlin: after 01:30 comes 03:00",
        ),
        pytest.param(
            *("30 * * * *", "Europe/Berlin", "2026-03-29T00:00", "2026-03-29T01:15"),
            ["2026-03-29T00:30"],
            id="Berlin: nothing comes in the place of 02:30",
        ),
        pytest.param(
            *("0,30 2 * * *", "Europe/Berlin", "2026-03-29T00:00", "2026-03-29T01:10"),
            [],
            id="Berlin: a day whose every fire is skipped",
        ),
        pytest.param(
            *("0,30 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00", "2026-03-29T01:10"),
            ["2026-03-29T01:00"],
            id="Berlin: a skipped time does not hide an earlier real one",
        ),
        pytest.param(
            *("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-26T12:00"),
            ["2026-10-25T00:30", "2026-10-26T01:30"],
            id="Berlin: 02:30 repeats on 25 October and fires the first time",
        ),
        pytest.param(
            *("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:59", "2026-10-25T02:30"),
            ["2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T02:00", "2026-10-25T02:30"],
            id="Berlin: the repeated hour is silent",
        ),
        pytest.param(
            *("*/30 * * * *", "Europe/Berlin", "2026-10-25T01:15", "2026-10-25T02:00"),
            ["2026-10-25T02:00"],
            id="Berlin: from inside the repeated hour",
        ),
        pytest.param(
            *("0 3 8 3 *", "America/New_York", "2026-03-08T00:00", "2026-03-09T00:00"),
            ["2026-03-08T07:00"],
            id="New York: 03:00 exists when 02:00 does not",
        ),
        pytest.param(
            *("*/15 1,2 * * *", "Australia/Lord_Howe", "2026-10-03T15:10", "2026-10-03T15:40"),
            ["2026-10-03T15:15", "2026-10-03T15:30"],
            id="Lord Howe: 02:00 and 02:15 are skipped, 02:30 is not",
        ),
        pytest.param(
            *("*/15 1,2 * * *", "Australia/Lord_Howe", "2026-04-04T14:00", "2026-04-04T15:45"),
            [
                "2026-04-04T14:15",
                "2026-04-04T14:30",
                "2026-04-04T14:45",
                "2026-04-04T15:30",
                "2026-04-04T15:45",
            ],
            id="Lord Howe: 01:30 and 01:45 repeat",
        ),
        pytest.param(
            *("30 2 * * *", "Africa/Casablanca", "2026-02-14T12:00", "2026-02-16T12:00"),
            ["2026-02-15T01:30", "2026-02-16T02:30"],
            id="Casablanca: back for Ramadan",
        ),
        pytest.param(
            *("30 2 * * *", "Africa/Casablanca", "2026-03-21T12:00", "2026-03-23T12:00"),
            ["2026-03-23T01:30"],
            id="Casablanca: forward after Ramadan",
        ),
        pytest.param(
            *("0 12 * * *", "Pacific/Apia", "2011-12-28T23:00", "2012-01-01T00:00"),
            ["2011-12-29T22:00", "2011-12-30T22:00", "2011-12-31T22:00"],
            id="Apia: 30 December 2011 never was",
        ),
        pytest.param(
            *("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00", "2013-01-01T00:00"),
            ["2012-12-29T22:00"],
            id="Apia: a yearly fire on the day that never was",
        ),
        pytest.param(
            *("0 0,1 * * *", "America/Sao_Paulo", "2018-11-03T12:00", "2018-11-04T12:00"),
            ["2018-11-04T03:00"],
            id="Sao Paulo: a day without midnight",
        ),
        pytest.param(
            *("30 23 * * *", "America/Sao_Paulo", "2018-02-17T12:00", "2018-02-19T12:00"),
            ["2018-02-18T01:30", "2018-02-19T02:30"],
            id="Sao Paulo: an evening that repeats across midnight",
        ),
        pytest.param(
            *("0 9 * * MON", "Pacific/Kiritimati", "2026-11-21T00:00", "2026-11-24T00:00"),
            ["2026-11-22T19:00"],
            id="Kiritimati: Monday there is Sunday in UTC",
        ),
        pytest.param(
            *("0 0 29 2 *", "UTC", "2026-01-01T00:00", "2034-01-01T00:00"),
            ["2028-02-29T00:00", "2032-02-29T00:00"],
            id="leap days",
        ),
        pytest.param(
            *("0 0 31 * *", "UTC", "2026-01-31T00:00", "2026-08-01T00:00"),
            ["2026-03-31T00:00", "2026-05-31T00:00", "2026-07-31T00:00"],
            id="months with 31 days",
        ),
    ],
)
def test_fires(text: str, timezone: str, after: str, until: str, expected: list[str]) -> None:
    assert list_fires(text, timezone, after, until) == expected


@pytest.mark.parametrize(
    ("timezone", "after", "until", "expected"),
    [
        pytest.param(
            *("Europe/Berlin", "2026-03-29T00:00", "2026-03-29T01:15"),
            ["01:30", "02:30 skipped by 60 minutes"],
            id="forward, the last one skipped",
        ),
        pytest.param(
            *("Europe/Berlin", "2026-03-29T00:45", "2026-03-29T01:30"),
            ["02:30 skipped by 60 minutes", "03:30"],
            id="forward, the first one skipped",
        ),
        pytest.param(
            *("Europe/Berlin", "2026-10-25T00:00", "2026-10-25T03:00"),
            ["02:30 repeated after 60 minutes", "03:30"],
            id="back",
        ),
        pytest.param(
            *("Australia/Lord_Howe", "2026-10-03T14:30", "2026-10-03T16:00"),
            ["01:30", "02:30"],
            id="forward by half an hour, over none of them",
        ),
        pytest.param(
            *("Australia/Lord_Howe", "2026-04-04T13:00", "2026-04-04T16:00"),
            ["00:30", "01:30 repeated after 30 minutes", "02:30"],
            id="back by half an hour",
        ),
    ],
)
def test_local_times_mark_skipped_and_repeated(
    timezone: str, after: str, until: str, expected: list[str]
) -> None:
    marked = []
    for each in local_times(parse_cron("30 * * * *"), timezone, parse_utc(after), parse_utc(until)):
        minutes = abs(each.offset_change) // timedelta(minutes=1)
        marks = f" skipped by {minutes} minutes" * each.skipped
        marks += f" repeated after {minutes} minutes" * each.repeated
        marked.append(f"{each.wall_time:%H:%M}{marks}")

    assert marked == expected


@pytest.mark.parametrize(
    ("after", "until", "expected"),
    [
        ("2026-11-23T08:59:59.999999", "2026-11-23T09:00", ["2026-11-23T09:00"]),
        ("2026-11-23T09:00", "2026-11-24T09:00", ["2026-11-24T09:00"]),
        ("2026-11-23T09:00", "2026-11-24T08:59:59.999999", []),
        ("2026-11-23T09:00:00.000001", "2026-11-24T09:00", ["2026-11-24T09:00"]),
        ("2026-11-24T00:00", "2026-11-23T00:00", []),
    ],
)
def test_the_span_excludes_its_start_and_includes_its_end(
    after: str, until: str, expected: list[str]
) -> None:
    assert list_fires("0 9 * * *", "UTC", after, until) == expected


def test_span_can_be_in_any_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    after, until = datetime(2026, 11, 23, 9, 0, tzinfo=berlin), datetime(2026, 11, 23, 9, 30, tzinfo=berlin)
    times = list(fire_times(parse_cron("*/30 * * * *"), "Asia/Kolkata", after, until))
    assert times == [parse_utc("2026-11-23T08:30")]
    assert times[0].tzinfo is UTC


@pytest.mark.parametrize("minute", range(0, 60, 10))
def test_next_fire_is_the_same_throughout_the_repeated_hour(minute: int) -> None:
    second_pass = parse_utc("2026-10-25T01:00") + timedelta(minutes=minute)
    rule = parse_cron("*/10 2 * * *")
    assert next_fire_time(rule, "Europe/Berlin", second_pass) == parse_utc("2026-10-26T01:00")


def test_iteration_and_repeated_lookup_agree() -> None:
    rule, zone = parse_cron("*/7 1-3 * * SUN"), "Europe/Berlin"
    after = parse_utc("2026-10-20T00:00")
    iterated = list(islice(fire_times(rule, zone, after, parse_utc("2027-04-01T00:00")), 100))
    for fire in iterated:
        next_time = next_fire_time(rule, zone, after)
        assert next_time == fire
        after = fire


def test_the_next_fire_is_within_the_span_or_none() -> None:
    rule, after = parse_cron("0 9 * * *"), parse_utc("2026-11-23T09:00")
    assert next_fire_time(rule, "UTC", after, timedelta(days=1)) == parse_utc("2026-11-24T09:00")
    assert next_fire_time(rule, "UTC", after, timedelta(days=1) - timedelta(seconds=1)) is None
    assert next_fire_time(parse_cron("0 0 30 2 *"), "UTC", after) is None
    assert next_fire_time(parse_cron("0 0 29 2 *"), "UTC", parse_utc("2096-02-29T00:00")) == parse_utc(
        "2104-02-29T00:00"
    )


@pytest.mark.parametrize(
    ("text", "timezone", "moment", "expected"),
    [
        pytest.param("0 9 * * *", "UTC", "2026-11-23T09:00:00", True, id="its time"),
        pytest.param("0 9 * * *", "UTC", "2026-11-23T09:00:01", False, id="a second later"),
        pytest.param("0 9 * * *", "UTC", "2026-11-23T09:00:00.000001", False, id="a microsecond later"),
        pytest.param("0 9 * * *", "UTC", "2026-11-23T09:01:00", False, id="another minute"),
        pytest.param("0 9 * * *", "UTC", "2026-11-23T10:00:00", False, id="another hour"),
        pytest.param("0 9 * * MON", "UTC", "2026-11-24T09:00:00", False, id="another day of the week"),
        pytest.param("0 9 23 * *", "UTC", "2026-11-24T09:00:00", False, id="another day of the month"),
        pytest.param("0 9 * 11 *", "UTC", "2026-12-23T09:00:00", False, id="another month"),
        pytest.param("0 9 * * *", "Asia/Tokyo", "2026-11-23T00:00:00", True, id="on the clock of the zone"),
        pytest.param(
            "0 2 25 10 *", "Europe/Berlin", "2026-10-25T00:00:00", True, id="first of a repeated time"
        ),
        pytest.param(
            "0 2 25 10 *", "Europe/Berlin", "2026-10-25T01:00:00", False, id="second of a repeated time"
        ),
        pytest.param(
            "30 2 29 3 *", "Europe/Berlin", "2026-03-29T01:30:00", False, id="a time that is skipped"
        ),
    ],
)
def test_a_rule_has_exactly_its_times(text: str, timezone: str, moment: str, expected: bool) -> None:
    assert fires_at(parse_cron(text), timezone, parse_utc(moment)) is expected
