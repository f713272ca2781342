from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, product
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pyawscron import AWSCron  # type: ignore[import-untyped]
from scheduling.domain.cron.eventbridge import eventbridge_expression
from scheduling.domain.cron.grammar import CronRule, parse_cron
from scheduling.domain.cron.occurrences import (
    FIRE_SEARCH_HORIZON,
    count_fires,
    fire_times,
    fires_at,
    fires_in,
)
from scheduling.domain.errors import InvalidCron

from tests.support.oracles.clock_changes import clock_changes, minutes_in
from tests.support.oracles.eventbridge_cron import EventBridgeCron
from tests.support.oracles.five_field_cron import (
    WEEKDAY,
    FiveFieldCron,
    cron_texts,
    cron_texts_in_any_month,
    matches_field,
)

SAMPLE = 40
MOST_FIRES = 600
MOMENTS = st.timedeltas(timedelta(), timedelta(days=80 * 366)).map(datetime(2023, 1, 1, tzinfo=UTC).__add__)


def sample_times(times: Iterable[datetime]) -> list[datetime]:
    return list(islice(times, SAMPLE))


def assert_same_values(rule: CronRule, meaning: FiveFieldCron) -> None:
    assert rule.minutes == tuple(sorted(meaning.minutes))
    assert rule.hours == tuple(sorted(meaning.hours))
    assert rule.days_of_month == tuple(sorted(meaning.days))
    assert rule.months == tuple(sorted(meaning.months))
    assert rule.days_of_week == tuple(sorted(meaning.weekdays))


def smallest_difference(ascending: Iterable[int]) -> int | None:
    smallest = None
    for earlier, later in pairwise(ascending):
        smallest = later - earlier if smallest is None else min(smallest, later - earlier)
        if smallest == 1:
            break
    return smallest


@given(cron_texts())
def test_grammar_text_is_parsed_as_written(text: str) -> None:
    rule = parse_cron(f" {text} ")
    assert rule.text == text
    assert_same_values(rule, FiveFieldCron(text))


@given(
    cron_texts(), st.integers(0), st.integers(0, 3), st.text("0123456789*,-/ \tMONsunJL?#\u0665", max_size=3)
)
def test_mistyped_text_is_refused_or_still_matches_the_grammar(
    text: str, at: int, deleted: int, typed: str
) -> None:
    at %= len(text)
    mistyped = text[:at] + typed + text[at + deleted :]
    with suppress(InvalidCron):
        assert_same_values(parse_cron(mistyped), FiveFieldCron(mistyped))


@given(cron_texts())
@example("0 9 29 2 *")
@example("0,58 0,23 1,28 2,3 *")
@example("0,58 0,23 1,29 2,3 *")
@example("0,58 0,23 1,31 1,12 *")
def test_smallest_gap_matches_years_of_fires(text: str) -> None:
    meaning = FiveFieldCron(text)
    start = datetime(2027, 7, 1, tzinfo=UTC)
    days = [day for day in range(5 * 366) if meaning.matches_day(start + timedelta(days=day))]
    times = [60 * hour + minute for hour, minute in product(sorted(meaning.hours), sorted(meaning.minutes))]
    minutes = (24 * 60 * day + time for day, time in product(days, times))
    assert parse_cron(text).smallest_gap_minutes == smallest_difference(minutes)


@given(cron_texts(), MOMENTS)
@example("0 0 29 2 *", datetime(2096, 2, 29, tzinfo=UTC))
@example("*/30 23 31 * *", datetime(2026, 4, 30, 23, 59, tzinfo=UTC))
def test_fires_match_the_meaning_of_the_text(text: str, after: datetime) -> None:
    until = after + FIRE_SEARCH_HORIZON
    expected = FiveFieldCron(text).fires(after, until)
    assert sample_times(fire_times(parse_cron(text), "UTC", after, until)) == sample_times(expected)


@given(cron_texts(), MOMENTS)
def test_eventbridge_expression_fires_at_the_same_minutes(text: str, after: datetime) -> None:
    rule = parse_cron(text)
    until = after + FIRE_SEARCH_HORIZON
    expression = eventbridge_expression(rule)
    expected = sample_times(EventBridgeCron(expression).fires(after, until))
    assert sample_times(fire_times(rule, "UTC", after, until)) == expected
    # pyawscron raises where the month lacks a day that is listed.
    if rule.days_of_month == tuple(range(1, 32)) or rule.days_of_month[-1] <= 28:
        fields = expression.removeprefix("cron(").removesuffix(")")
        assert AWSCron.get_next_n_schedule(len(expected), after, fields) == expected


@given(
    cron_texts_in_any_month(),
    clock_changes(),
    st.timedeltas(-timedelta(hours=30), timedelta(hours=6)),
    st.timedeltas(timedelta(), timedelta(hours=36)),
)
def test_a_skipped_minute_never_fires_and_a_repeated_one_fires_first(
    text: str, change: tuple[str, datetime], offset: timedelta, span: timedelta
) -> None:
    zone, changes_at = change
    after = changes_at + offset
    until = after + span
    meaning, rule = FiveFieldCron(text), parse_cron(text)
    minutes = list(minutes_in(after, until))
    expected = [
        minute
        for minute in minutes
        if (local := minute.astimezone(ZoneInfo(zone))).fold == 0 and meaning.matches(local)
    ]
    assert list(fire_times(rule, zone, after, until)) == expected
    assert [minute for minute in minutes if fires_at(rule, zone, minute)] == expected


def test_all_weekday_forms_have_the_same_meaning_everywhere() -> None:
    starts = [str(day) for day in range(8)] + list(WEEKDAY.names)
    spans = ["*", *starts, *(f"{start}-{stop}" for start, stop in product(starts, starts))]
    steps = ["", *(f"/{step}" for step in range(1, 8))]
    for field in map("".join, product(spans, steps)):
        days = {day % 7 for day in range(8) if matches_field(WEEKDAY, field, day)}
        if days:
            rule = parse_cron(f"0 0 * * {field}")
            assert set(rule.days_of_week) == days, field
            assert {day - 1 for day in EventBridgeCron(eventbridge_expression(rule)).weekdays} == days, field
        else:
            with pytest.raises(InvalidCron, match="is a wrapped range"):
                parse_cron(f"0 0 * * {field}")


@given(cron_texts_in_any_month(), st.sampled_from(sorted(available_timezones())), MOMENTS)
def test_valid_rule_fires_within_two_years(text: str, timezone: str, after: datetime) -> None:
    rule = parse_cron(text)
    assume(rule.fires_every_year)

    assert next(fire_times(rule, timezone, after, after + timedelta(days=731)), None) is not None


@given(cron_texts_in_any_month(), clock_changes(), st.timedeltas(-timedelta(days=5), timedelta(hours=6)))
@example("30 2 * * *", ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)), -timedelta(days=2))
@example("*/5 * * * *", ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)), -timedelta(days=2))
def test_the_fires_of_a_period_are_the_same_without_croniter(
    text: str, change: tuple[str, datetime], offset: timedelta
) -> None:
    """Of a rule that fires often, some hundred fires around the change: croniter takes most of a second for a day."""
    rule, (timezone, changes_at) = parse_cron(text), change
    reach = min(timedelta(days=3), MOST_FIRES * timedelta(minutes=rule.smallest_gap_minutes or 24 * 60))
    first, last = max(changes_at + offset, changes_at - reach), changes_at + reach
    expected = list(fire_times(rule, timezone, first - timedelta(microseconds=1), last))
    assert list(fires_in(rule, timezone, first, last)) == expected
    assert count_fires(rule, timezone, first, last) == len(expected)
