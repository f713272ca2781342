from dataclasses import replace
from typing import Any

import pytest
from scheduling.domain.install import Install
from scheduling.domain.schedule import Life, Schedule
from scheduling.domain.sweeps import Timer

from scheduling_admin.status import differences, standing_of
from tests.unit.builders import INSTALL_ID, SCHEDULE_ID, install, schedule

TIMER = Timer(
    schedule_id=SCHEDULE_ID,
    install_id=INSTALL_ID,
    expression="cron(0 9 * * ? *)",
    timezone="UTC",
    revision=1,
    as_deployed=True,
)


@pytest.mark.parametrize(
    ("of", "row", "against"),
    [
        (install(), schedule(), []),
        (install(enabled=False), schedule(suspended=True), ["the install is disabled"]),
        (install(paused=True), schedule(suspended=True), ["the tenant is paused"]),
        (install(deleting=True), schedule(), ["the install is being deleted"]),
        (install(granted=frozenset()), schedule(), ["the install is not granted cap:scheduler.manage"]),
        (install(), schedule(enabled=False), ["the schedule is disabled"]),
        (install(), schedule(life=Life.REMOVING), ["the schedule is deleted"]),
        (
            install(),
            schedule(enabled=False, disabled_reason="no endpoint"),
            ["the platform has disabled the schedule: no endpoint"],
        ),
        (
            install(dropped=frozenset({"POST /api/sync"})),
            schedule(),
            ["the platform has disabled the schedule: Version version-1 has no endpoint POST /api/sync"],
        ),
        (install(), schedule(suspended=True), ["it has not followed yet that its install is active again"]),
        (
            install(enabled=False, paused=True),
            schedule(enabled=False),
            ["the install is disabled", "the tenant is paused", "the schedule is disabled"],
        ),
    ],
)
def test_everything_that_keeps_a_schedule_from_firing_is_told(
    of: Install, row: Schedule, against: list[str]
) -> None:
    found = standing_of(of, row)
    assert list(found.against) == against
    assert found.fires is not bool(against)


@pytest.mark.parametrize(
    ("timer", "row", "expected"),
    [
        ({}, schedule(), []),
        (None, schedule(), ["No timer stands, though the row wants one."]),
        (None, schedule(enabled=False), []),
        ({}, schedule(enabled=False), ["A timer stands, though the row wants none."]),
        ({}, schedule(suspended=True), ["A timer stands, though the row wants none."]),
        (
            {"expression": "cron(0 8 * * ? *)", "timezone": "Europe/Berlin"},
            schedule(),
            [
                "Its expression is cron(0 8 * * ? *), the row wants cron(0 9 * * ? *).",
                "Its zone is Europe/Berlin, the row wants UTC.",
            ],
        ),
        ({"revision": 4}, schedule(), ["Its number is 4, the row wants 1."]),
        ({"install_id": None}, schedule(), ["Its install is None, the row wants install-1."]),
        (
            {"as_deployed": False},
            schedule(),
            ["Its target, role, dead-letter queue or state is not this stack's."],
        ),
    ],
)
def test_each_difference_of_a_timer_is_told(
    timer: dict[str, Any] | None, row: Schedule, expected: list[str]
) -> None:
    stands = None if timer is None else replace(TIMER, **timer)
    assert differences(stands, row) == expected
