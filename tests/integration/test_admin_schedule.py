"""One schedule beside its timer, and its occurrences explained, on what both systems hold."""

import json
from datetime import timedelta
from typing import Any

import pytest
from scheduling.api.triggers import fire_of
from scheduling.domain.errors import RunFailed
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Fire, Outcome, RunStatus, time_text
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_enabled
from scheduling.operations.runs.execute import execute
from scheduling.operations.schedules.create import create
from scheduling.operations.schedules.delete import delete

from scheduling_admin.status import differences
from tests.support.admin import SCHEDULE, Admin
from tests.support.aws_calls import Call, Killed, refused
from tests.support.world import ADMIN, GROUP, World, aws_client, timer_input, wanted

ONE = InstallId("install-1")


@pytest.fixture
def schedule(world: World) -> Schedule:
    world.register(ONE)
    return create(world.services, ONE, wanted(name="hourly", payload={"n": 1}))


def fire_at(world: World, schedule: Schedule, hour: int) -> Fire:
    """The occurrence of that hour, at its time."""
    world.clock[0] = world.clock[0].replace(hour=hour, minute=0, second=0)
    return fire_of({**timer_input(world, schedule), "scheduledTime": time_text(world.clock[0])})


def run_at(world: World, schedule: Schedule, hour: int, **outcome: Any) -> None:
    """Let the occurrence of that hour run, up to three times."""
    fire = fire_at(world, schedule, hour)
    world.runner.outcome = Outcome(**{"status": RunStatus.SUCCESS, "http_status": 200, **outcome})
    for _ in range(3):
        try:
            execute(world.services, world.runner, fire)
        except RunFailed:
            continue
        return


def update_timer(schedule: Schedule, **changes: Any) -> None:
    """Change the timer behind the service's back."""
    client = aws_client("scheduler")
    found: dict[str, Any] = dict(client.get_schedule(GroupName=GROUP, Name=schedule.id))
    kept = ("ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target", "State")
    client.update_schedule(
        GroupName=GROUP, Name=schedule.id, **{**{name: found[name] for name in kept}, **changes}
    )


def test_a_schedule_is_shown_with_its_timer_and_its_history(
    world: World, admin: Admin, schedule: Schedule
) -> None:
    run_at(world, schedule, 10)
    run_at(world, schedule, 11, status=RunStatus.ERROR, http_status=422, error="The extension answered 422")
    told = admin("schedule", ONE, schedule.id, "--fires", "1", env={"COLUMNS": "120"})
    assert (told.ends_with, told.errors) == (0, [])
    lines = [line for line in told.lines if not line.startswith("2026-11-23T1")]
    assert lines == [
        f"Schedule    {SCHEDULE}",
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
        "Zone        UTC",
        "Revision    1",
        "It is as the row says.",
        "",
        "History",
        "Scheduled time         Status    Attempt   Began                      Took   HTTP   Error",
        "─" * 110,
    ]
    runs = [line.split() for line in told.lines if line.startswith("2026-11-23T1")]
    assert [(run[0], run[1], run[2]) for run in runs] == [
        ("2026-11-23T11:00:00Z", "error", "1"),
        ("2026-11-23T10:00:00Z", "success", "1"),
    ]
    assert runs[0][-4:] == ["The", "extension", "answered", "422"]


def test_a_schedule_is_told_to_machines_with_all_of_that(
    world: World, admin: Admin, schedule: Schedule
) -> None:
    run_at(world, schedule, 10)
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
def test_a_timer_differs_exactly_where_the_sweep_would_mend_it(
    world: World, admin: Admin, schedule: Schedule, changes: dict[str, Any]
) -> None:
    update_timer(schedule, **changes)
    timer = world.services.timers.get(schedule.id)
    assert timer is not None
    assert bool(differences(timer, schedule)) is not world.services.timers.matches(timer, schedule)
    told = admin("schedule", ONE, schedule.id, "--json")
    assert told.ends_with == (1 if changes else 0)
    assert told.document["timerMatches"] is not bool(changes)


def test_a_missing_timer_is_found(admin: Admin, schedule: Schedule) -> None:
    aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=schedule.id)
    told = admin("schedule", ONE, schedule.id, "--runs", "0")
    assert told.ends_with == 1
    assert told.lines[-2:] == ["Timer in EventBridge", "No timer stands, though the row wants one."]


def test_a_pending_row_is_told(world: World, admin: Admin, schedule: Schedule) -> None:
    def die(call: Call) -> None:
        if call.operation == "DeleteSchedule":
            raise Killed

    world.calls.before = die
    with pytest.raises(Killed):
        delete(world.services, ONE, schedule.id)
    world.calls.before = None
    told = admin("schedule", ONE, schedule.id, "--runs", "0")
    assert told.ends_with == 1
    assert "Fires       no; the schedule is deleted" in told.lines
    assert told.lines[-2:] == [
        "A timer stands, though the row wants none.",
        "The row has been pending since 2026-11-23T09:00:00.000Z: the reconciler is to finish it.",
    ]


def test_a_long_payload_is_cut_short_for_people_alone(world: World, admin: Admin) -> None:
    world.register(ONE)
    long = create(world.services, ONE, wanted(payload=["x" * 1000]))
    lines = admin("schedule", ONE, long.id, env={"COLUMNS": "600"}).lines
    assert f'Payload     ["{"x" * 398}… (1004 characters; --json has all of it)' in lines
    assert admin("schedule", ONE, long.id, "--json").document["schedule"]["payload"] == ["x" * 1000]


@pytest.mark.parametrize("command", ["schedule", "explain"])
def test_what_is_not_there_ends_with_3(admin: Admin, schedule: Schedule, command: str) -> None:
    time = ["2026-11-23T10:00:00Z"] if command == "explain" else []
    foreign = admin(command, "install-2", schedule.id, *time)
    assert (foreign.ends_with, foreign.errors) == (3, ["Install not found."])
    absent = admin(command, ONE, SCHEDULE, *time)
    assert (absent.ends_with, absent.errors) == (3, ["Schedule not found."])


def test_a_schedule_of_a_disabled_install_is_shown(world: World, admin: Admin, schedule: Schedule) -> None:
    set_enabled(world.services, ONE, enabled=False, by=ADMIN)
    told = admin("schedule", ONE, schedule.id)
    assert told.ends_with == 0
    assert "None stands, as the row says." in told.lines


# explain


def test_an_occurrence_that_ran_is_explained(world: World, admin: Admin, schedule: Schedule) -> None:
    run_at(world, schedule, 10)
    told = admin("explain", ONE, schedule.id, "2026-11-23T10:00")
    assert (told.ends_with, told.errors) == (0, [])
    assert told.lines[:2] == [
        "hourly: POST /api/sync, Mon 2026-11-23 10:00 UTC",
        "It ran, with success at attempt 1.",
    ]
    assert told.lines[2].startswith("  Attempt 1 began 2026-11-23T10:00:00.000Z, 0.0 s after its time, took ")


def test_an_occurrence_that_failed_for_good_is_explained_with_its_letter(
    world: World, admin: Admin, schedule: Schedule
) -> None:
    run_at(world, schedule, 10, status=RunStatus.ERROR, http_status=503, error="No\x1b[2J", retryable=True)
    event = {**timer_input(world, schedule), "scheduledTime": "2026-11-23T10:00:00Z"}
    admin.letter({"requestPayload": event, "responsePayload": {"errorMessage": "Attempt 3 failed"}})
    admin.letter({"requestPayload": {**event, "scheduledTime": "2026-11-23T11:00:00Z"}})
    told = admin("explain", ONE, schedule.id, "2026-11-23T10:00:00Z")
    assert told.ends_with == 1
    assert told.lines[1] == "It failed for good, at attempt 3."
    assert told.lines[3] == "  The error: No\\x1b[2J"
    assert told.lines[4].startswith("  It has been in the dead-letter queue since ")
    assert told.lines[4].endswith(": Attempt 3 failed")
    assert told.lines[5:] == ["  Once the cause is mended: scheduling-admin replay"]
    assert len(admin.letters()) == 2
    document = admin("explain", ONE, schedule.id, "2026-11-23T10:00:00Z", "--json").document
    assert [letter["reason"] for letter in document["letters"]] == ["Attempt 3 failed"]
    assert (document["verdict"], document["wrong"], document["run"]["attempt"]) == ("failed", True, 3)


def test_an_explanation_is_told_to_machines_in_full(world: World, admin: Admin, schedule: Schedule) -> None:
    world.advance(minutes=30)
    told = admin("explain", ONE, schedule.id, "2026-11-23T10:00:00Z", "--json")
    assert told.ends_with == 0
    assert told.document == {
        "installId": "install-1",
        "scheduleId": schedule.id,
        "scheduledTime": "2026-11-23T10:00:00Z",
        "localTime": "2026-11-23T10:00:00",
        "timezone": "UTC",
        "verdict": "to-come",
        "wrong": False,
        "answer": "It is still to come, in 30 min.",
        "because": ["The timer stands in EventBridge as the row says."],
        "advice": [],
        "run": None,
        "timer": {
            "expression": "cron(0 * * * ? *)",
            "timezone": "UTC",
            "revision": 1,
            "installId": "install-1",
            "asDeployed": True,
        },
        "letters": [],
    }


def test_a_time_that_does_not_exist_has_no_name(world: World, admin: Admin) -> None:
    world.register(ONE)
    night = create(world.services, ONE, wanted(cron="30 2 * * *", timezone="Europe/Berlin"))
    told = admin("explain", ONE, night.id, "2027-03-28T02:30", "--json")
    assert (told.ends_with, told.document["verdict"]) == (0, "not-due")
    assert (told.document["scheduledTime"], told.document["localTime"]) == (None, "2027-03-28T02:30:00")
    lines = admin("explain", ONE, night.id, "2027-03-28T02:30").lines
    assert lines[0] == f"{SCHEDULE}: POST /api/sync, Sun 2027-03-28 02:30, Europe/Berlin"


def test_a_skipped_run_names_the_one_that_was_under_way(
    world: World, admin: Admin, schedule: Schedule
) -> None:
    first = fire_at(world, schedule, 10)

    class Meanwhile:
        """The runner takes so long that the next occurrence comes."""

        def __call__(self, *_: object) -> Outcome:
            execute(world.services, world.runner, fire_at(world, schedule, 11))
            return Outcome(status=RunStatus.SUCCESS, http_status=200)

    world.clock[0] += timedelta(minutes=59, seconds=30)
    execute(world.services, Meanwhile(), first)
    told = admin("explain", ONE, schedule.id, "2026-11-23T11:00:00Z")
    assert told.ends_with == 0
    assert told.lines[1] == "It was skipped: the previous run was still under way."
    assert told.lines[2].startswith(
        "  That of 2026-11-23T10:00:00Z was under way: it began 2026-11-23T10:59:30.000Z and took "
    )


def test_a_run_by_hand_is_explained_by_its_own_time(world: World, admin: Admin, schedule: Schedule) -> None:
    time = admin("run", ONE, schedule.id, "--json").document["scheduledTime"]
    (event,) = world.handed_over()
    execute(world.services, world.runner, fire_of(event))
    told = admin("explain", ONE, schedule.id, time)
    assert (told.ends_with, told.lines[1:3]) == (
        0,
        ["It ran, with success at attempt 1.", "  It was run by hand."],
    )


def test_a_time_that_is_none_ends_with_2(admin: Admin, schedule: Schedule) -> None:
    told = admin("explain", ONE, schedule.id, "tomorrow")
    text = "tomorrow is no time such as 2026-11-23T09:00:00Z, or 2026-11-23T09:00 in the schedule's zone."
    assert (told.ends_with, told.errors, told.lines) == (2, [text], [])


def test_the_queue_is_left_alone_where_it_makes_no_difference(
    world: World, admin: Admin, schedule: Schedule
) -> None:
    run_at(world, schedule, 10)
    world.calls.made.clear()
    admin("explain", ONE, schedule.id, "2026-11-23T10:00:00Z")
    admin("explain", ONE, schedule.id, "2026-11-24T10:00:00Z")
    assert "ReceiveMessage" not in world.calls.operations()


def test_a_timer_that_may_not_be_looked_at_ends_with_5(
    world: World, admin: Admin, schedule: Schedule
) -> None:
    def deny(call: Call) -> None:
        if call.operation == "GetSchedule":
            raise refused("AccessDeniedException", "GetSchedule")

    world.calls.before = deny
    told = admin("schedule", ONE, schedule.id, "--json")
    world.calls.before = None
    assert (told.ends_with, told.lines) == (5, [])
    assert told.errors == [
        "AWS does not allow GetSchedule with these credentials: "
        "AccessDeniedException. docs/operations.md lists what an operator needs to be allowed."
    ]
