from datetime import UTC, datetime, timedelta

import pytest
from scheduling.domain.cron.eventbridge import are_same_rule, eventbridge_expression
from scheduling.domain.cron.limits import check_rule
from scheduling.domain.cron.occurrences import (
    fire_times,
    fires_at,
    latest_fire_time,
    local_times,
    next_fire_time,
)
from scheduling.domain.cron.one_time import OneTimeRule, is_one_time, parse_one_time
from scheduling.domain.cron.rule import parse_rule
from scheduling.domain.errors import InvalidCron

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FORM = "Invalid one-time schedule (expected at(yyyy-mm-ddThh:mm) or at(yyyy-mm-ddThh:mm:ss))"


def check(text: str, timezone: str | None = "UTC", now: datetime = NOW) -> datetime | None:
    """Return when the rule fires in the zone."""
    rule = check_rule(text, min_interval_minutes=5, timezone=timezone, now=now)
    assert isinstance(rule, OneTimeRule)
    return next_fire_time(rule, timezone or "UTC", now)


@pytest.mark.parametrize(
    ("text", "timezone", "utc"),
    [
        ("at(2026-12-01T09:00)", "UTC", "2026-12-01T09:00:00"),
        ("at(2026-12-01T09:00:00)", "UTC", "2026-12-01T09:00:00"),
        ("at(2026-12-01T09:00:59)", "UTC", "2026-12-01T09:00:59"),
        (" \tat(2026-12-01T09:00)\r\n", "UTC", "2026-12-01T09:00:00"),
        ("at(2026-12-01T00:00)", "UTC", "2026-12-01T00:00:00"),
        ("at(2026-12-31T23:59:59)", "UTC", "2026-12-31T23:59:59"),
        ("at(2026-12-01T09:00)", "Europe/Berlin", "2026-12-01T08:00:00"),
        ("at(2027-07-01T09:00)", "Europe/Berlin", "2027-07-01T07:00:00"),
        ("at(2026-12-01T09:00)", "Asia/Kathmandu", "2026-12-01T03:15:00"),
        ("at(2026-12-01T09:00)", "Pacific/Kiritimati", "2026-11-30T19:00:00"),
        ("at(2026-11-23T12:00)", "America/New_York", "2026-11-23T17:00:00"),
        ("at(2026-11-23T12:00:01)", "UTC", "2026-11-23T12:00:01"),
        ("at(2028-02-29T09:00)", "UTC", "2028-02-29T09:00:00"),
        ("at(2027-10-31T02:30)", "Europe/Berlin", "2027-10-31T00:30:00"),
        ("at(2027-11-07T01:30)", "America/New_York", "2027-11-07T05:30:00"),
        ("at(2027-03-28T03:00)", "Europe/Berlin", "2027-03-28T01:00:00"),
        ("at(2034-11-23T12:00)", "UTC", "2034-11-23T12:00:00"),
    ],
)
def test_a_valid_text_fires_once_in_its_zone(text: str, timezone: str, utc: str) -> None:
    moment = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert check(text, timezone) == moment
    rule = parse_rule(text)
    assert list(fire_times(rule, timezone, NOW, NOW + timedelta(days=4000))) == [moment]
    assert next_fire_time(rule, timezone, moment) is None
    assert fires_at(rule, timezone, moment)
    assert not fires_at(rule, timezone, moment + timedelta(hours=1))
    assert latest_fire_time(rule, timezone, NOW, moment) == moment
    assert latest_fire_time(rule, timezone, moment, moment + timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("text", "timezone", "error"),
    [
        ("at()", "UTC", FORM),
        ("at(2026-12-01)", "UTC", FORM),
        ("at(2026-12-01 09:00)", "UTC", FORM),
        ("at(2026-12-01t09:00)", "UTC", FORM),
        ("AT(2026-12-01T09:00)", "UTC", FORM),
        ("at (2026-12-01T09:00)", "UTC", "Invalid cron expression (expected 5 fields: m h dom mon dow)"),
        ("at( 2026-12-01T09:00)", "UTC", FORM),
        ("at(2026-12-01T09:00", "UTC", FORM),
        ("at(2026-12-01T09:00))", "UTC", FORM),
        ("at(2026-12-01T09:00Z)", "UTC", FORM),
        ("at(2026-12-01T09:00+01:00)", "UTC", FORM),
        ("at(2026-12-01T09:00:00.000)", "UTC", FORM),
        ("at(2026-12-1T9:00)", "UTC", FORM),
        ("at(2026-12-01T9:00)", "UTC", FORM),
        ("at(\uff12\uff10\uff12\uff16-12-01T09:00)", "UTC", FORM),
        ("at(12026-12-01T09:00)", "UTC", FORM),
        ("at(2026-12-01T09:00)\nat(2026-12-01T09:00)", "UTC", FORM),
        (
            "at(2027-02-29T09:00)",
            "UTC",
            "Invalid one-time schedule (2027-02-29T09:00 is no date and time)",
        ),
        (
            "at(2026-11-31T09:00)",
            "UTC",
            "Invalid one-time schedule (2026-11-31T09:00 is no date and time)",
        ),
        (
            "at(2026-13-01T09:00)",
            "UTC",
            "Invalid one-time schedule (2026-13-01T09:00 is no date and time)",
        ),
        (
            "at(2026-12-01T24:00)",
            "UTC",
            "Invalid one-time schedule (2026-12-01T24:00 is no date and time)",
        ),
        (
            "at(2026-12-01T09:00:60)",
            "UTC",
            "Invalid one-time schedule (2026-12-01T09:00:60 is no date and time)",
        ),
        (
            "at(0000-12-01T09:00)",
            "UTC",
            "Invalid one-time schedule (year: 0000 is not between 1970 and 2199)",
        ),
        (
            "at(9999-12-31T23:59)",
            "UTC",
            "Invalid one-time schedule (year: 9999 is not between 1970 and 2199)",
        ),
        ("at(2026-11-23T12:00)", "UTC", "One-time schedule must be in the future"),
        ("at(2026-11-23T11:59:59)", "UTC", "One-time schedule must be in the future"),
        ("at(2026-11-23T13:00)", "Europe/Berlin", "One-time schedule must be in the future"),
        ("at(1970-01-01T00:00)", "Pacific/Kiritimati", "One-time schedule must be in the future"),
        ("at(2034-11-23T12:00:01)", "UTC", "One-time schedule must be within the next 8 years"),
        ("at(2199-12-31T23:59:59)", "Etc/GMT+12", "One-time schedule must be within the next 8 years"),
        ("at(2026-11-01T09:00)", None, "One-time schedule must be in the future"),
        ("at(2026-11-22T12:00)", None, "One-time schedule must be in the future"),
        ("at(2035-01-01T09:00)", None, "One-time schedule must be within the next 8 years"),
        (
            "at(2027-03-28T02:30)",
            "Europe/Berlin",
            "Invalid one-time schedule (2027-03-28T02:30:00 does not exist in Europe/Berlin, "
            "where clocks go forward past it)",
        ),
        (
            "at(2027-03-14T02:00)",
            "America/New_York",
            "Invalid one-time schedule (2027-03-14T02:00:00 does not exist in America/New_York, "
            "where clocks go forward past it)",
        ),
    ],
)
def test_an_invalid_text_is_refused_with_its_reason(text: str, timezone: str | None, error: str) -> None:
    with pytest.raises(InvalidCron) as raised:
        check(text, timezone)
    assert str(raised.value) == error


@pytest.mark.parametrize("text", ["at(2026-11-23T12:00)", "at(2026-11-24T00:00)", "at(2034-11-23T13:00)"])
def test_without_a_valid_zone_only_what_no_zone_could_have_is_refused(text: str) -> None:
    rule = check_rule(text, min_interval_minutes=5, timezone=None, now=NOW)
    assert rule.text == text


def test_a_time_that_does_not_exist_never_fires() -> None:
    rule = parse_one_time("at(2027-03-28T02:30)")
    assert next_fire_time(rule, "Europe/Berlin", NOW) is None
    assert not fires_at(rule, "Europe/Berlin", datetime(2027, 3, 28, 1, 30, tzinfo=UTC))
    (time,) = local_times(rule, "Europe/Berlin", NOW, NOW + timedelta(days=365))
    assert time.skipped


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("at(2026-12-01T09:00)", "at(2026-12-01T09:00:00)"),
        ("at(2026-12-01T09:00:30)", "at(2026-12-01T09:00:30)"),
    ],
)
def test_eventbridge_gets_seconds_in_any_case(text: str, expression: str) -> None:
    assert eventbridge_expression(parse_rule(text)) == expression


@pytest.mark.parametrize(
    ("text", "other", "same"),
    [
        ("at(2026-12-01T09:00)", "at(2026-12-01T09:00:00)", True),
        ("at(2026-12-01T09:00)", "at(2026-12-01T09:00:01)", False),
        ("at(2026-12-01T09:00)", "0 9 1 12 *", False),
    ],
)
def test_the_same_time_in_other_words_is_the_same_rule(text: str, other: str, same: bool) -> None:
    assert are_same_rule(text, other) is same


@pytest.mark.parametrize(
    ("text", "expected"), [("at(", True), (" At(x", True), ("0 9 * * *", False), ("", False)]
)
def test_a_text_is_meant_as_a_one_time_rule_by_its_first_word(text: str, expected: bool) -> None:
    assert is_one_time(text) is expected
