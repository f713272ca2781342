"""What the sweep finds about a timer, as a change and back."""

from datetime import UTC, datetime
from typing import get_args

import pytest
from scheduling.domain.audit.finds import (
    TimerFind,
    change_from_find,
    create_find,
    difference_fields,
    find_from_change,
)
from scheduling.domain.ids import parse_change_position
from scheduling.domain.sweeps import DifferenceName, TimerDifference

from tests.unit.admin.builders import build_change
from tests.unit.builders import INSTALL_ID, NOW, SCHEDULE_ID, schedule

VALUES: dict[DifferenceName, tuple[object, object]] = {
    "timer": (False, True),
    "expression": ("cron(1 * * * ? *)", "cron(0 * * * ? *)"),
    "timezone": ("Asia/Tokyo", "UTC"),
    "spread": (5, 0),
    "revision": (None, 3),
    "install": (None, "install-1"),
    "tenant": ("another", "tenant-1"),
    "stack": (False, True),
    "deletion": (True, False),
}
PREVENTING = {"timer", "expression", "timezone", "install", "stack"}


def build_find(*differences: TimerDifference) -> TimerFind:
    return create_find(schedule(), differences, NOW)


def test_every_difference_has_a_field() -> None:
    assert set(VALUES) == set(get_args(DifferenceName))


@pytest.mark.parametrize("name", VALUES)
def test_a_find_is_the_same_after_it_was_a_change(name: DifferenceName) -> None:
    find = build_find(TimerDifference(name, *VALUES[name]))
    change = change_from_find(find)
    assert find_from_change(change) == find
    assert (change.name, change.actor, change.install_id, change.schedule_id) == (
        "TimerRepaired",
        "system",
        INSTALL_ID,
        SCHEDULE_ID,
    )
    assert all(field.startswith("timer") for field in (*(change.before or ()), *(change.after or ())))
    assert difference_fields(find) == [{"name": name, "actual": VALUES[name][0], "expected": VALUES[name][1]}]
    assert find.prevents_fires is (name in PREVENTING)


def test_a_timer_that_should_not_exist_prevents_nothing() -> None:
    assert not build_find(TimerDifference("timer", True, False)).prevents_fires


def test_one_preventing_difference_is_enough() -> None:
    harmless, preventing = TimerDifference("spread", 5, 0), TimerDifference("stack", False, True)
    assert build_find(harmless, preventing).prevents_fires
    assert not build_find(harmless).prevents_fires


def test_the_position_is_one_of_a_change_and_of_one_find_a_second() -> None:
    find = build_find(TimerDifference("stack", False, True))
    position = change_from_find(find).position
    assert parse_change_position(position) == position
    later = create_find(schedule(), find.differences, NOW.replace(microsecond=999_999))
    assert change_from_find(later).position == position
    other = create_find(schedule(id="another"), find.differences, NOW)
    assert change_from_find(other).position != position


def test_a_text_of_the_timer_is_kept_up_to_a_length() -> None:
    change = change_from_find(build_find(TimerDifference("install", "x" * 100_000, "install-1")))
    assert change.before == {"timerInstallId": "x" * 256}


def test_other_changes_are_no_finds() -> None:
    assert find_from_change(build_change(0, {"timerExists": False}, {"timerExists": True})) is None


def test_a_find_has_whole_seconds() -> None:
    time = datetime(2026, 11, 23, 9, 0, 0, 400_000, tzinfo=UTC)
    assert change_from_find(create_find(schedule(), [], time)).time == time.replace(microsecond=0)
