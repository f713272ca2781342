"""The command `explain`."""

from datetime import timedelta

from scheduling.domain.fire_events import parse_fire_event
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule

from tests.support.stacks.admin_cli import (
    ANY_SCHEDULE_ID,
    STACK_NAME,
    AdminCli,
    build_fire_at,
    execute_at,
    failing_calls,
)
from tests.support.stacks.fires import execute_fire
from tests.support.stacks.world import TIMER_SETTINGS, World, aws_client, create_input, read_timer_input

ONE = InstallId("install-1")


def test_an_occurrence_that_ran_is_explained(world: World, admin: AdminCli, schedule: Schedule) -> None:
    execute_at(world, schedule, 10)
    result = admin("explain", ONE, schedule.id, "2026-11-23T10:00")
    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines[:2] == [
        "hourly: POST /api/sync, Mon 2026-11-23 10:00 UTC",
        "It succeeded at attempt 1.",
    ]
    assert result.lines[2].startswith(
        "  Attempt 1 started at 2026-11-23T10:00:00.000Z, 0 ms after the scheduled time, took "
    )


def test_a_permanently_failed_occurrence_is_explained_with_its_dead_letter(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    execute_at(
        world, schedule, 10, status=RunStatus.ERROR, http_status=503, error="No\x1b[2J", retryable=True
    )
    event = {**read_timer_input(world, schedule), "scheduledTime": "2026-11-23T11:00:00Z"}
    admin.send_dead_letter({"requestPayload": event, "responsePayload": {"errorMessage": "another one"}})
    result = admin("explain", ONE, schedule.id, "2026-11-23T10:00:00Z")
    assert result.exit_status == 1
    assert result.lines[1] == "It failed permanently at attempt 3."
    request = (
        f"The request id is {ANY_SCHEDULE_ID}: search the log group /aws/lambda/{STACK_NAME}-execute for it."
    )
    assert result.lines[3] == f"  {request}"
    assert result.lines[4] == "  Error: No\\x1b[2J"
    assert result.lines[5].startswith("  It has been in the dead-letter queue since ")
    assert result.lines[5].endswith(": No [2J")
    assert result.lines[6:] == ["  Once the cause is fixed: scheduling-admin replay"]
    assert len(admin.receive_dead_letters()) == 2
    document = admin("explain", ONE, schedule.id, "2026-11-23T10:00:00Z", "--json").document
    assert [dead_letter["reason"] for dead_letter in document["deadLetters"]] == ["No [2J"]
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
        "summary": "It is upcoming, in 30 min.",
        "reasons": ["The timer in EventBridge is in sync."],
        "advice": [],
        "run": None,
        "timer": {
            "expression": "cron(0 * * * ? *)",
            "timezone": "UTC",
            "spreadMinutes": 0,
            "revision": 1,
            "installId": "install-1",
            "matchesStack": True,
        },
        "deadLetters": [],
        "queue": None,
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
        """A runner that is so slow that the next occurrence fires meanwhile."""

        def __call__(self, *_: object) -> Outcome:
            execute_fire(world.services, world.runner, build_fire_at(world, schedule, 11))
            return Outcome(status=RunStatus.SUCCESS, http_status=200)

    world.clock[0] += timedelta(minutes=59, seconds=30)
    execute_fire(world.services, SlowRunner(), first)
    result = admin("explain", ONE, schedule.id, "2026-11-23T11:00:00Z")
    assert result.exit_status == 0
    assert result.lines[1].startswith("It was skipped: the previous run was still ")
    assert result.lines[2].startswith(
        "  The run of 2026-11-23T10:00:00Z was running: it started at 2026-11-23T10:59:30.000Z and took "
    )


def test_a_manual_run_is_explained_by_its_own_time(world: World, admin: AdminCli, schedule: Schedule) -> None:
    time = admin("run", ONE, schedule.id, "--json").document["scheduledTime"]
    (event,) = world.list_executor_events()
    execute_fire(world.services, world.runner, parse_fire_event(event).fire)
    result = admin("explain", ONE, schedule.id, time)
    assert (result.exit_status, result.lines[1:3]) == (
        0,
        ["It succeeded at attempt 1.", "  It was a manual run."],
    )


def test_an_invalid_time_exits_with_2(admin: AdminCli, schedule: Schedule) -> None:
    result = admin("explain", ONE, schedule.id, "tomorrow")
    text = "tomorrow is not a time such as 2026-11-23T09:00:00Z, or 2026-11-23T09:00 in the schedule's zone."
    assert (result.exit_status, result.errors, result.lines) == (2, [text], [])


def test_the_queue_is_read_only_when_it_can_matter(world: World, admin: AdminCli, schedule: Schedule) -> None:
    execute_at(world, schedule, 10)
    world.calls.recorded.clear()
    admin("explain", ONE, schedule.id, "2026-11-23T10:00:00Z")
    admin("explain", ONE, schedule.id, "2026-11-24T10:00:00Z")
    operations = set(world.calls.operation_names())
    assert not operations & {"ReceiveMessage", "GetQueueAttributes", "GetMetricData"}


def test_an_overdue_occurrence_is_explained_with_the_queue(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    url = TIMER_SETTINGS.occurrence_queue_url
    aws_client("sqs").send_message(QueueUrl=url, MessageBody="{}")
    world.clock[0] += timedelta(hours=1, minutes=45)
    aws_client("cloudwatch").put_metric_data(
        Namespace="AWS/SQS",
        MetricData=[
            {
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Dimensions": [{"Name": "QueueName", "Value": url.rpartition("/")[2]}],
                "Timestamp": world.clock[0] - timedelta(minutes=5),
                "Value": 2400,
            }
        ],
    )

    result = admin("explain", ONE, schedule.id, "2026-11-23T10:00:00Z", env={"COLUMNS": "80"})
    document = admin("explain", ONE, schedule.id, "2026-11-23T10:00:00Z", "--json").document
    with failing_calls(world, "GetMetricData"):
        without_age = admin("explain", ONE, schedule.id, "2026-11-23T10:00:00Z", "--json").document

    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines[1:] == [
        "It is overdue: it was due 45 min ago and has not been delivered yet.",
        "  The timer is in sync.",
        "  The queue of occurrences has 1 ready, 0 running, 0 delayed; the oldest 40 min",
        "  old.",
        "  A delivery may be late; after 3 d 1 h it counts as missed.",
        "  Is OccurrenceMapping enabled, and may the function `execute` run?",
    ]
    depth = {"ready": 1, "running": 0, "delayed": 0}
    assert document["queue"] == {**depth, "oldestMessageSeconds": 2400}
    assert without_age["queue"] == {**depth, "oldestMessageSeconds": None}


def test_a_denied_timer_read_exits_with_5(world: World, admin: AdminCli, schedule: Schedule) -> None:
    with failing_calls(world, "GetSchedule"):
        result = admin("explain", ONE, schedule.id, "2026-11-23T10:00:00Z", "--json")
    assert (result.exit_status, result.lines) == (5, [])
    assert result.errors == [
        "AWS denies GetSchedule with these credentials: "
        "AccessDeniedException. docs/operations.md lists the permissions that an operator needs."
    ]
