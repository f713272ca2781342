from datetime import UTC, datetime

import pytest
from scheduling.domain.cron.clock_differences import find_shifted_times

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ALL_DAY = [f"{hour:02}:00" for hour in range(24)]


def at(time: str, day: int = 23) -> datetime:
    return datetime.fromisoformat(f"2026-11-{day}T{time}Z")


@pytest.mark.parametrize(
    ("due", "recorded", "expected"),
    [
        pytest.param(["12:00"], [], [], id="nothing ran"),
        pytest.param(["12:00"], ["11:00"], ["11:00"], id="an hour early"),
        pytest.param(["12:00"], ["13:00"], ["13:00"], id="an hour late"),
        pytest.param(["12:00"], ["11:30"], ["11:30"], id="half an hour early"),
        pytest.param(["12:00"], ["15:00"], ["15:00"], id="three hours late"),
        pytest.param(["12:00"], ["15:30"], [], id="beyond any difference of clocks"),
        pytest.param(["12:00"], ["11:50"], [], id="no difference of clocks"),
        pytest.param(
            ["12:00"], ["11:00", "11:30"], ["11:30", "11:00"], id="two candidates, the nearest first"
        ),
        pytest.param(["11:00", "12:00"], ["10:00", "11:00"], ["10:00"], id="two together an hour early"),
        pytest.param(["12:00", "13:00"], ["13:00", "14:00"], ["14:00"], id="two together an hour late"),
        pytest.param(
            ["09:00", "10:00", "11:00", "12:00"], ["08:00", "09:00", "10:00", "11:00"], ["08:00"], id="four"
        ),
        pytest.param(["11:00", "12:00"], ["11:00"], [], id="one of two missed"),
        pytest.param(["08:00", "11:00", "12:00"], ["07:00", "11:00"], [], id="a gap between"),
        pytest.param(
            ALL_DAY, [time for time in ALL_DAY if time != "12:00"], [], id="one of an hourly rule missed"
        ),
    ],
)
def test_a_run_by_another_clock_is_found(due: list[str], recorded: list[str], expected: list[str]) -> None:
    times = find_shifted_times(NOON, set(map(at, due)).__contains__, set(map(at, recorded)).__contains__)

    assert list(dict.fromkeys(f"{time:%H:%M}" for time in times)) == expected


def test_nothing_is_searched_for_beyond_a_day() -> None:
    due = {at(time, day) for day in (22, 23, 24) for time in ALL_DAY}
    recorded = due - {NOON} | {at("11:30", 22)}

    assert list(find_shifted_times(NOON, due.__contains__, recorded.__contains__)) == []


def test_each_time_is_a_candidate_up_to_a_day_away() -> None:
    due = {at(time, day) for day in (22, 23, 24) for time in ALL_DAY} - {at("12:00", 22)}
    recorded = due - {NOON} | {at("12:00", 22)}

    assert at("12:00", 22) in find_shifted_times(NOON, due.__contains__, recorded.__contains__)
