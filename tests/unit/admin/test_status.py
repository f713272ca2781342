from dataclasses import replace
from typing import Any

import pytest
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule, ScheduleState
from scheduling.domain.sweeps import TimerSnapshot

from scheduling_admin.status import evaluate_firing_status, find_timer_differences
from tests.unit.builders import INSTALL_ID, SCHEDULE_ID, install, schedule

TIMER = TimerSnapshot(
    schedule_id=SCHEDULE_ID,
    install_id=INSTALL_ID,
    expression="cron(0 9 * * ? *)",
    timezone="UTC",
    revision=1,
    matches_stack=True,
)


@pytest.mark.parametrize(
    ("owner", "row", "blockers"),
    [
        (install(), schedule(), []),
        (install(enabled=False), schedule(suspended=True), ["the install is disabled"]),
        (install(paused=True), schedule(suspended=True), ["the tenant is paused"]),
        (install(deleting=True), schedule(), ["the install is being deleted"]),
        (
            install(granted_capabilities=frozenset()),
            schedule(),
            ["the install is not granted cap:scheduler.manage"],
        ),
        (install(), schedule(enabled=False), ["the schedule is disabled"]),
        (install(), schedule(state=ScheduleState.DELETING), ["the schedule is deleted"]),
        (
            install(),
            schedule(enabled=False, disabled_reason="no endpoint"),
            ["the platform has disabled the schedule: no endpoint"],
        ),
        (
            install(removed_endpoints=frozenset({"POST /api/sync"})),
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
def test_every_blocker_of_a_schedule_is_listed(owner: Install, row: Schedule, blockers: list[str]) -> None:
    status = evaluate_firing_status(owner, row)
    assert list(status.blockers) == blockers
    assert status.fires is not bool(blockers)


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
                "Its timezone is Europe/Berlin, the row wants UTC.",
            ],
        ),
        ({"revision": 4}, schedule(), ["Its revision is 4, the row wants 1."]),
        ({"install_id": None}, schedule(), ["Its install is None, the row wants install-1."]),
        (
            {"matches_stack": False},
            schedule(),
            ["Its target, role, dead-letter queue or state is not this stack's."],
        ),
    ],
)
def test_each_difference_of_a_timer_is_listed(
    timer: dict[str, Any] | None, row: Schedule, expected: list[str]
) -> None:
    actual = None if timer is None else replace(TIMER, **timer)
    assert find_timer_differences(actual, row) == expected
