"""One schedule beside its timer, and its occurrences explained, on what both systems hold."""

import json
from datetime import timedelta
from typing import Any

import pytest
from scheduling.api.triggers import parse_fire
from scheduling.domain import sweeps
from scheduling.domain.errors import RunFailed
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Fire, Outcome, RunStatus, format_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.runs.execute import execute_fire
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule

from scheduling_admin.status import find_timer_differences
from tests.support.aws.calls import Call, Killed, client_error
from tests.support.stacks.admin_cli import ANY_SCHEDULE_ID, AdminCli
from tests.support.stacks.world import ADMIN, GROUP, World, aws_client, create_input, read_timer_input

ONE = InstallId("install-1")


@pytest.fixture
def schedule(world: World) -> Schedule:
    world.register_install(ONE)
    return create_schedule(world.services, ONE, create_input(name="hourly", payload={"n": 1}))


def build_fire_at(world: World, schedule: Schedule, hour: int) -> Fire:
    """The occurrence of that hour, at its time."""
    world.clock[0] = world.clock[0].replace(hour=hour, minute=0, second=0)
    return parse_fire({**read_timer_input(world, schedule), "scheduledTime": format_time(world.clock[0])})


def execute_at(world: World, schedule: Schedule, hour: int, **outcome: Any) -> None:
    """Let the occurrence of that hour run, up to three times."""
    fire = build_fire_at(world, schedule, hour)
    world.runner.outcome = Outcome(**{"status": RunStatus.SUCCESS, "http_status": 200, **outcome})
    for _ in range(3):
        try:
            execute_fire(world.services, world.runner, fire)
        except RunFailed:
            continue
        return


def update_timer(schedule: Schedule, **changes: Any) -> None:
    """Change the timer behind the service's back."""
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
    lines = [line for line in result.lines if not line.startswith("2026-11-23T1")]
    assert lines == [
        f"Schedule    {ANY_SCHEDULE_ID}",
        "Name        hourly",
        "Install     install-1 of tenant tenant-1",
        "Endpoint    POST /api/sync",
        "Rule        0 * * * * in UTC",
        'Payload     {"n":1}',
        "Fires       yes",
        "Next        Mon 2026-11-23 12:00 UTC",
        "Created     2026-11-23T09:00:00.000Z",
        "Revision    1, of its timer 1, since 2026-11-23T09:00:00.000Z",
        "Changed by  host_api",
        "",
        "Timer in EventBridge",
        "Expression  cron(0 * * * ? *)",
        "Timezone    UTC",
        "Revision    1",
        "It is as the row says.",
        "",
        "History",
        "Scheduled time         Status    Attempt   Started at                 Duration   HTTP   Error",
        "─" * 114,
    ]
    runs = [line.split() for line in result.lines if line.startswith("2026-11-23T1")]
    assert [(run[0], run[1], run[2]) for run in runs] == [
        ("2026-11-23T11:00:00Z", "error", "1"),
        ("2026-11-23T10:00:00Z", "success", "1"),
    ]
    assert runs[0][-4:] == ["The", "extension", "answered", "422"]


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
        "revision": 1,
        "installId": "install-1",
        "asDeployed": True,
    }
    assert (document["timerMatches"], document["differences"]) == (True, [])
    (run,) = document["runs"]
    assert (run["scheduledTime"], run["status"], run["httpStatus"]) == (
        "2026-11-23T10:00:00Z",
        "success",
        200,
    )
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
    "nothing": {},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_a_timer_differs_exactly_where_the_sweep_would_repair_it(
    world: World, admin: AdminCli, schedule: Schedule, changes: dict[str, Any]
) -> None:
    update_timer(schedule, **changes)
    timer = world.services.timers.get_timer(schedule.id)
    assert timer is not None
    assert bool(find_timer_differences(timer, schedule)) is bool(
        sweeps.find_timer_differences(timer, schedule)
    )
    result = admin("schedule", ONE, schedule.id, "--json")
    assert result.exit_status == (1 if changes else 0)
    assert result.document["timerMatches"] is not bool(changes)


def test_a_missing_timer_is_reported(admin: AdminCli, schedule: Schedule) -> None:
    aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=schedule.id)
    result = admin("schedule", ONE, schedule.id, "--runs", "0")
    assert result.exit_status == 1
    assert result.lines[-2:] == ["Timer in EventBridge", "No timer stands, though the row wants one."]


def test_a_pending_schedule_is_reported(world: World, admin: AdminCli, schedule: Schedule) -> None:
    def die(call: Call) -> None:
        if call.operation == "DeleteSchedule":
            raise Killed

    world.calls.before = die
    with pytest.raises(Killed):
        delete_schedule(world.services, ONE, schedule.id)
    world.calls.before = None
    result = admin("schedule", ONE, schedule.id, "--runs", "0")
    assert result.exit_status == 1
    assert "Fires       no; the schedule is deleted" in result.lines
    assert result.lines[-2:] == [
        "A timer stands, though the row wants none.",
        "The row has been pending since 2026-11-23T09:00:00.000Z: the reconciler is to finish it.",
    ]


def test_a_long_payload_is_truncated_in_text_output_only(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    long = create_schedule(world.services, ONE, create_input(payload=["x" * 1000]))
    lines = admin("schedule", ONE, long.id, env={"COLUMNS": "600"}).lines
    assert f'Payload     ["{"x" * 398}… (1004 characters; --json has all of it)' in lines
    assert admin("schedule", ONE, long.id, "--json").document["schedule"]["payload"] == ["x" * 1000]


@pytest.mark.parametrize("command", ["schedule", "explain"])
def test_an_absent_schedule_exits_with_3(admin: AdminCli, schedule: Schedule, command: str) -> None:
    time = ["2026-11-23T10:00:00Z"] if command == "explain" else []
    foreign = admin(command, "install-2", schedule.id, *time)
    assert (foreign.exit_status, foreign.errors) == (3, ["Install not found."])
    absent = admin(command, ONE, ANY_SCHEDULE_ID, *time)
    assert (absent.exit_status, absent.errors) == (3, ["Schedule not found."])


def test_a_schedule_of_a_disabled_install_is_listed(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    set_install_enabled(world.services, ONE, enabled=False, actor=ADMIN)
    result = admin("schedule", ONE, schedule.id)
    assert result.exit_status == 0
    assert "None stands, as the row says." in result.lines


# explain


def test_an_occurrence_that_ran_is_explained(world: World, admin: AdminCli, schedule: Schedule) -> None:
    execute_at(world, schedule, 10)
    result = admin("explain", ONE, schedule.id, "2026-11-23T10:00")
    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines[:2] == [
        "hourly: POST /api/sync, Mon 2026-11-23 10:00 UTC",
        "It ran, with success at attempt 1.",
    ]
    assert result.lines[2].startswith(
        "  Attempt 1 began 2026-11-23T10:00:00.000Z, 0.0 s after its time, took "
    )


def test_a_permanently_failed_occurrence_is_explained_with_its_dead_letter(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    execute_at(
        world, schedule, 10, status=RunStatus.ERROR, http_status=503, error="No\x1b[2J", retryable=True
    )
    event = {**read_timer_input(world, schedule), "scheduledTime": "2026-11-23T10:00:00Z"}
    admin.send_dead_letter({"requestPayload": event, "responsePayload": {"errorMessage": "Attempt 3 failed"}})
    admin.send_dead_letter({"requestPayload": {**event, "scheduledTime": "2026-11-23T11:00:00Z"}})
    result = admin("explain", ONE, schedule.id, "2026-11-23T10:00:00Z")
    assert result.exit_status == 1
    assert result.lines[1] == "It failed for good, at attempt 3."
    assert result.lines[3] == "  The error: No\\x1b[2J"
    assert result.lines[4].startswith("  It has been in the dead-letter queue since ")
    assert result.lines[4].endswith(": Attempt 3 failed")
    assert result.lines[5:] == ["  Once the cause is mended: scheduling-admin replay"]
    assert len(admin.receive_dead_letters()) == 2
    document = admin("explain", ONE, schedule.id, "2026-11-23T10:00:00Z", "--json").document
    assert [dead_letter["reason"] for dead_letter in document["deadLetters"]] == ["Attempt 3 failed"]
    assert (document["verdict"], document["needsAttention"], document["run"]["attempt"]) == (
        "failed",
        True,
        3,
    )


def test_an_explanation_is_reported_as_json(world: World, admin: AdminCli, schedule: Schedule) -> None:
    world.advance(minutes=30)
    result = admin("explain", ONE, schedule.id, "2026-11-23T10:00:00Z", "--json")
    assert result.exit_status == 0
    assert result.document == {
        "installId": "install-1",
        "scheduleId": schedule.id,
        "scheduledTime": "2026-11-23T10:00:00Z",
        "localTime": "2026-11-23T10:00:00",
        "timezone": "UTC",
        "verdict": "upcoming",
        "needsAttention": False,
        "answer": "It is still to come, in 30 min.",
        "reasons": ["The timer stands in EventBridge as the row says."],
        "advice": [],
        "run": None,
        "timer": {
            "expression": "cron(0 * * * ? *)",
            "timezone": "UTC",
            "revision": 1,
            "installId": "install-1",
            "asDeployed": True,
        },
        "deadLetters": [],
    }


def test_a_nonexistent_time_has_no_scheduled_time(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    night = create_schedule(world.services, ONE, create_input(cron="30 2 * * *", timezone="Europe/Berlin"))
    result = admin("explain", ONE, night.id, "2027-03-28T02:30", "--json")
    assert (result.exit_status, result.document["verdict"]) == (0, "not-scheduled")
    assert (result.document["scheduledTime"], result.document["localTime"]) == (None, "2027-03-28T02:30:00")
    lines = admin("explain", ONE, night.id, "2027-03-28T02:30").lines
    assert lines[0] == f"{ANY_SCHEDULE_ID}: POST /api/sync, Sun 2027-03-28 02:30, Europe/Berlin"


def test_a_skipped_run_names_the_overlapping_run(world: World, admin: AdminCli, schedule: Schedule) -> None:
    first = build_fire_at(world, schedule, 10)

    class SlowRunner:
        """The runner takes so long that the next occurrence comes."""

        def __call__(self, *_: object) -> Outcome:
            execute_fire(world.services, world.runner, build_fire_at(world, schedule, 11))
            return Outcome(status=RunStatus.SUCCESS, http_status=200)

    world.clock[0] += timedelta(minutes=59, seconds=30)
    execute_fire(world.services, SlowRunner(), first)
    result = admin("explain", ONE, schedule.id, "2026-11-23T11:00:00Z")
    assert result.exit_status == 0
    assert result.lines[1] == "It was skipped: the previous run was still under way."
    assert result.lines[2].startswith(
        "  That of 2026-11-23T10:00:00Z was under way: it began 2026-11-23T10:59:30.000Z and took "
    )


def test_a_manual_run_is_explained_by_its_own_time(world: World, admin: AdminCli, schedule: Schedule) -> None:
    time = admin("run", ONE, schedule.id, "--json").document["scheduledTime"]
    (event,) = world.list_executor_events()
    execute_fire(world.services, world.runner, parse_fire(event))
    result = admin("explain", ONE, schedule.id, time)
    assert (result.exit_status, result.lines[1:3]) == (
        0,
        ["It ran, with success at attempt 1.", "  It was run by hand."],
    )


def test_an_invalid_time_exits_with_2(admin: AdminCli, schedule: Schedule) -> None:
    result = admin("explain", ONE, schedule.id, "tomorrow")
    text = "tomorrow is no time such as 2026-11-23T09:00:00Z, or 2026-11-23T09:00 in the schedule's zone."
    assert (result.exit_status, result.errors, result.lines) == (2, [text], [])


def test_the_queue_is_not_read_when_it_cannot_matter(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    execute_at(world, schedule, 10)
    world.calls.recorded.clear()
    admin("explain", ONE, schedule.id, "2026-11-23T10:00:00Z")
    admin("explain", ONE, schedule.id, "2026-11-24T10:00:00Z")
    assert "ReceiveMessage" not in world.calls.operation_names()


def test_a_denied_timer_read_exits_with_5(world: World, admin: AdminCli, schedule: Schedule) -> None:
    def deny(call: Call) -> None:
        if call.operation == "GetSchedule":
            raise client_error("AccessDeniedException", "GetSchedule")

    world.calls.before = deny
    result = admin("schedule", ONE, schedule.id, "--json")
    world.calls.before = None
    assert (result.exit_status, result.lines) == (5, [])
    assert result.errors == [
        "AWS does not allow GetSchedule with these credentials: "
        "AccessDeniedException. docs/operations.md lists what an operator needs to be allowed."
    ]
