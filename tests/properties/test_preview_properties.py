"""The preview, compared with the search of the missed-fire check, and with a check of every single minute."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st
from scheduling.domain.cron.grammar import parse_cron
from scheduling.domain.cron.occurrences import fire_times
from scheduling.domain.cron.timezones import check_timezone
from scheduling.domain.install import Limits
from scheduling.domain.preview import MAX_PREVIEW_FIRES, PREVIEW_HORIZON, Preview, build_preview
from scheduling.domain.rules import ScheduleInput, ScheduleRules

from tests.support.oracles.clock_changes import clock_changes, minutes_in
from tests.support.oracles.five_field_cron import FiveFieldCron, cron_texts, cron_texts_in_any_month
from tests.unit.builders import NOW, install

DAY = timedelta(days=1)
ZONES = ["UTC", "Africa/El_Aaiun", "America/New_York", "Asia/Gaza", "Australia/Lord_Howe", "Europe/Berlin"]
OFFSETS = st.timedeltas(-timedelta(hours=30), timedelta(hours=6))


def preview_rule(text: str, zone: str, now: datetime) -> Preview:
    input_ = ScheduleInput({"endpoint": "/none", "cron": text, "timezone": check_timezone(zone)})
    return build_preview(ScheduleRules((), Limits(), now), install(), input_)


def naive_local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@given(cron_texts(), st.sampled_from(ZONES), st.timedeltas(timedelta(), 60 * 366 * DAY).map(NOW.__add__))
@example("0 0 29 2 *", "Africa/El_Aaiun", NOW)
@example("30 2 29 2 *", "Africa/El_Aaiun", NOW)
@example("0 0 29 2 *", "UTC", NOW.replace(year=2072))
@example("0 0 30 2 *", "UTC", NOW)
def test_preview_matches_timer_and_sweep_occurrences(text: str, zone: str, now: datetime) -> None:
    preview_times = [time.utc for time in preview_rule(text, zone, now).fire_times]

    assert preview_times == list(
        islice(fire_times(parse_cron(text), zone, now, now + PREVIEW_HORIZON), MAX_PREVIEW_FIRES)
    )
    assert len(preview_times) == (MAX_PREVIEW_FIRES if parse_cron(text).smallest_gap_minutes else 0)


@given(cron_texts_in_any_month(), clock_changes(), OFFSETS)
@example("* * * * *", ("Antarctica/Troll", NOW.replace(month=3, day=29, hour=1)), timedelta(minutes=-3))
def test_preview_marks_every_minute_around_a_clock_change(
    text: str, change: tuple[str, datetime], offset: timedelta
) -> None:
    zone, changes_at = change
    now = changes_at + offset
    result = preview_rule(text, zone, now)
    meaning = FiveFieldCron(text)
    until = min([now + 1.5 * DAY, *(fire.utc for fire in result.fire_times[-1:])])
    local_counts = Counter(naive_local(minute, zone) for minute in minutes_in(now - DAY, until + DAY))
    minutes = [minute for minute in minutes_in(now, until) if minute.astimezone(ZoneInfo(zone)).fold == 0]
    expected = [minute for minute in minutes if meaning.matches(naive_local(minute, zone))]
    walls = minutes_in(naive_local(now, zone), naive_local(until, zone))

    near = [fire for fire in result.fire_times if fire.utc <= until]
    assert [fire.utc for fire in near] == expected
    assert [fire.wall_time.replace(tzinfo=None) for fire in near] == [
        naive_local(minute, zone) for minute in expected
    ]
    assert [fire.repeated for fire in near] == [
        local_counts[naive_local(minute, zone)] == 2 for minute in expected
    ]
    skipped = [time.wall_time.replace(tzinfo=None) for time in result.skipped_times]
    assert [wall for wall in skipped if wall <= naive_local(until, zone)] == [
        wall for wall in walls if wall not in local_counts and meaning.matches(wall)
    ]
