"""The command `schedule`."""

import json
import re
from typing import Any
from uuid import UUID

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import NO_RESPONSE, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import find_timer_differences
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.schedules.create import create_schedule

from scheduling_admin.status import OVERLOAD_ADVICE
from tests.support.faults.cases import Case, delete_case_schedule, kill_at
from tests.support.stacks.admin_cli import ANY_SCHEDULE_ID, AdminCli, execute_at
from tests.support.stacks.world import ADMIN, GROUP, World, aws_client, create_input, on_moto

ONE = InstallId("install-1")


def update_timer(schedule: Schedule, **changes: Any) -> None:
    """Change the timer without the service."""
    client = aws_client("scheduler")
    timer: dict[str, Any] = dict(client.get_schedule(GroupName=GROUP, Name=schedule.id))
    required_keys = (
        "ScheduleExpression",
        "ScheduleExpressionTimezone",
        "FlexibleTimeWindow",
        "Target",
        "State",
    )
    client.update_schedule(
        GroupName=GROUP, Name=schedule.id, **{**{name: timer[name] for name in required_keys}, **changes}
    )


def test_a_schedule_is_listed_with_its_timer_and_history(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    execute_at(world, schedule, 10)
    execute_at(
        world, schedule, 11, status=RunStatus.ERROR, http_status=422, error="The extension answered 422"
    )
    result = admin("schedule", ONE, schedule.id, "--fires", "1", env={"COLUMNS": "120"})
    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines[:23] == [
        f"Schedule    {ANY_SCHEDULE_ID}",
        "Name        hourly",
        "Install     install-1 of tenant tenant-1",
        "Endpoint    POST /api/sync",
        "Rule        0 * * * * in UTC",
        "            Every hour, UTC",
        'Payload     {"n":1}',
        "Fires       yes",
        "Next        Mon 2026-11-23 12:00 UTC",
        "Created     2026-11-23T09:00:00.000Z",
        "Revision    1, timer revision 1 since 2026-11-23T09:00:00.000Z",
        "Changed by  host_api",
        "",
        "Timer in EventBridge",
        "Expression  cron(0 * * * ? *)",
        "Timezone    UTC",
        "Window      -",
        "Revision    1",
        "The timer is in sync.",
        "",
        "History",
        "Scheduled time, result   Started at, duration       Error                        Request id",
        "─" * 117,
    ]
    assert_history_is_listed(result.lines[23:])


def test_timeouts_in_the_history_are_named_as_overload(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    failure = {"status": RunStatus.ERROR, "http_status": None, "retryable": True}
    execute_at(world, schedule, 10, **failure, runner_error=NO_RESPONSE)
    execute_at(world, schedule, 11)

    lines = admin("schedule", ONE, schedule.id, env={"COLUMNS": "400"}).lines

    assert lines[-1] == f"1 of these 2 runs timed out at the runner. {OVERLOAD_ADVICE}"


def assert_history_is_listed(lines: list[str]) -> None:
    """Assert that two runs are listed, newest first, in three lines each."""
    runs = [re.split(r"\s{2,}", line) for line in lines]
    assert [[run[0], *run[2:]] for run in runs[::3]] == [
        ["2026-11-23T11:00:00Z", "The extension answered 422", ANY_SCHEDULE_ID],
        ["2026-11-23T10:00:00Z", "-", ANY_SCHEDULE_ID],
    ]
    assert [run[0] for run in runs[1::3]] == ["error 422, attempt 1", "success 200, attempt 1"]
    assert all(run[1].endswith(("s", "min")) for run in runs[1::3])


def test_a_schedule_is_reported_as_json_with_its_timer_and_history(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    execute_at(world, schedule, 10)
    document = admin("schedule", ONE, schedule.id, "--json").document
    assert document.keys() == {"schedule", "install", "timer", "timerMatches", "differences", "runs"}
    assert (document["schedule"]["id"], document["install"]["installId"]) == (schedule.id, ONE)
    assert document["timer"] == {
        "expression": "cron(0 * * * ? *)",
        "timezone": "UTC",
        "spreadMinutes": 0,
        "revision": 1,
        "installId": "install-1",
        "matchesStack": True,
    }
    assert (document["timerMatches"], document["differences"]) == (True, [])
    (run,) = document["runs"]
    assert (run["scheduledTime"], run["status"], run["httpStatus"]) == (
        "2026-11-23T10:00:00Z",
        "success",
        200,
    )
    assert UUID(run["requestId"])
    assert (run["detail"], run["runnerStatus"], run["runnerError"]) == (None, None, None)
    assert admin("schedule", ONE, schedule.id, "--json", "--runs", "0").document["runs"] == []


CHANGES: dict[str, dict[str, Any]] = {
    "expression": {"ScheduleExpression": "cron(5 * * * ? *)"},
    "zone": {"ScheduleExpressionTimezone": "Europe/Berlin"},
    "state": {"State": "DISABLED"},
    "target": {
        "Target": {
            "Arn": "arn:aws:lambda:eu-central-1:123456789012:function:other",
            "RoleArn": "arn:aws:iam::123456789012:role/timer",
            "Input": json.dumps({"installId": "install-1", "revision": 1}),
        }
    },
    "window": {"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}},
    "no change": {},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
@on_moto
def test_a_timer_differs_exactly_where_the_sweep_would_repair_it(
    world: World, admin: AdminCli, schedule: Schedule, changes: dict[str, Any]
) -> None:
    update_timer(schedule, **changes)
    timer = world.services.timers.get_timer(schedule.id)
    assert timer is not None
    differences = find_timer_differences(timer, schedule, world.services.limits, world.clock[0])
    assert bool(differences) is bool(changes)
    result = admin("schedule", ONE, schedule.id, "--json")
    assert result.exit_status == (1 if changes else 0)
    assert result.document["timerMatches"] is not bool(changes)


def test_a_missing_timer_is_reported(admin: AdminCli, schedule: Schedule) -> None:
    aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=schedule.id)
    result = admin("schedule", ONE, schedule.id, "--runs", "0")
    assert result.exit_status == 1
    assert result.lines[-2:] == [
        "Timer in EventBridge",
        "EventBridge has no timer, but the schedule should have one.",
    ]


def test_a_pending_schedule_is_reported(world: World, admin: AdminCli, schedule: Schedule) -> None:
    kill_at("DeleteSchedule", delete_case_schedule)(Case(world, ONE, schedule))
    result = admin("schedule", ONE, schedule.id, "--runs", "0")
    assert result.exit_status == 1
    assert "Fires       no; the schedule is deleted" in result.lines
    assert result.lines[-2:] == [
        "EventBridge has a timer, but the schedule should not have one.",
        "A change has been pending since 2026-11-23T09:00:00.000Z; the reconciler applies it to EventBridge.",
    ]


def test_a_long_payload_is_truncated_in_text_output_only(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    long = create_schedule(world.services, ONE, create_input(payload=["x" * 1000]))
    lines = admin("schedule", ONE, long.id, env={"COLUMNS": "600"}).lines
    assert f'Payload     ["{"x" * 398}... (1004 characters; --json prints all of them)' in lines
    assert admin("schedule", ONE, long.id, "--json").document["schedule"]["payload"] == ["x" * 1000]


@pytest.mark.parametrize("command", ["schedule", "explain"])
def test_an_absent_schedule_exits_with_3(admin: AdminCli, schedule: Schedule, command: str) -> None:
    time = ["2026-11-23T10:00:00Z"] if command == "explain" else []
    foreign = admin(command, "install-2", schedule.id, *time)
    assert (foreign.exit_status, foreign.errors) == (3, ["Install not found."])
    absent = admin(command, ONE, ANY_SCHEDULE_ID, *time)
    text = (
        f"Install install-1 has no schedule with the id or name {ANY_SCHEDULE_ID!r}; `schedules` lists them."
    )
    assert (absent.exit_status, absent.errors) == (3, [text])


def test_a_schedule_of_a_disabled_install_is_listed(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    set_install_enabled(world.services, ONE, enabled=False, actor=ADMIN)
    result = admin("schedule", ONE, schedule.id)
    assert result.exit_status == 0
    assert "There is no timer, and the schedule needs none." in result.lines
