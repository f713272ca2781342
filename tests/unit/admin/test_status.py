from dataclasses import replace
from typing import Any

import pytest
from scheduling.domain.install import Install, Limits
from scheduling.domain.runs import NO_RESPONSE
from scheduling.domain.schedule import COMPLETED, PAUSED_AFTER_FAILURES, Schedule, ScheduleState

from scheduling_admin.status import (
    OVERLOAD_ADVICE,
    describe_timeouts,
    describe_timer_differences,
    evaluate_firing_status,
    list_install_blockers,
)
from tests.unit.admin.builders import TIMER, build_run
from tests.unit.builders import NOW, install, schedule


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
            install(),
            schedule(enabled=False, disabled_reason=PAUSED_AFTER_FAILURES),
            ["the service has paused the schedule after failures"],
        ),
        (
            install(),
            schedule(enabled=False, disabled_reason=COMPLETED),
            ["its only time has passed"],
        ),
        (
            install(removed_endpoints=frozenset({"POST /api/sync"})),
            schedule(),
            ["the platform has disabled the schedule: Version version-1 has no endpoint POST /api/sync"],
        ),
        (
            install(),
            schedule(suspended=True),
            ["the schedule is still suspended, although its install is active again"],
        ),
        (
            install(unreadable="enabled is missing", enabled=False, granted_capabilities=frozenset()),
            schedule(),
            ["the install cannot be read: enabled is missing"],
        ),
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


def test_the_blockers_of_an_install_are_listed() -> None:
    blocked = install(
        deleting=True, enabled=False, paused=True, granted_capabilities=frozenset(), schedule_count=1
    )
    assert list_install_blockers(blocked) == (
        "the install is being deleted",
        "the install is disabled",
        "the tenant is paused",
        "the install is not granted cap:scheduler.manage",
    )
    assert list_install_blockers(install()) == ()
    assert list_install_blockers(install(granted_capabilities=frozenset())) == ()


@pytest.mark.parametrize(
    ("timer", "row", "expected"),
    [
        ({}, schedule(), []),
        (None, schedule(), ["EventBridge has no timer, but the schedule should have one."]),
        (None, schedule(enabled=False), []),
        ({}, schedule(enabled=False), ["EventBridge has a timer, but the schedule should not have one."]),
        ({}, schedule(suspended=True), ["EventBridge has a timer, but the schedule should not have one."]),
        (
            {"expression": "cron(0 8 * * ? *)", "timezone": "Europe/Berlin"},
            schedule(),
            [
                "The timer's expression is cron(0 8 * * ? *) instead of cron(0 9 * * ? *).",
                "The timer's timezone is Europe/Berlin instead of UTC.",
            ],
        ),
        (
            {"spread_minutes": 15},
            schedule(),
            ["The timer's window is 15 minutes instead of 0."],
        ),
        ({"timer_revision": 4}, schedule(), ["The timer's revision is 4 instead of 1."]),
        ({"install_id": None}, schedule(), ["The timer's install is None instead of install-1."]),
        (
            {"matches_stack": False},
            schedule(),
            ["The timer's target, role, dead-letter queue or state is not this stack's."],
        ),
    ],
)
def test_each_difference_of_a_timer_is_listed(
    timer: dict[str, Any] | None, row: Schedule, expected: list[str]
) -> None:
    actual = None if timer is None else replace(TIMER, **timer)
    assert describe_timer_differences(actual, row, Limits(), NOW) == expected


def test_timeouts_at_the_runner_are_named_as_overload() -> None:
    timed_out, other = build_run(runner_error=NO_RESPONSE), build_run(runner_error="bundle_fetch_failed")

    expected = f"2 of these 3 runs timed out at the runner. {OVERLOAD_ADVICE}"
    assert describe_timeouts([timed_out, other, timed_out]) == expected
    assert describe_timeouts([other]) is None
