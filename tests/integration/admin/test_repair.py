"""Dead letters delivered again, and both systems brought together, by the operator's command line."""

import json
from typing import Any

import pytest
from scheduling.api.triggers import parse_fire
from scheduling.domain.errors import RunFailed
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.runs.execute import execute_fire
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import list_runs
from scheduling.operations.schedules.update import update_schedule

from scheduling_admin.stack import dead_letters
from scheduling_admin.stack.dead_letters import parse_dead_letter
from tests.support.aws.calls import Call, Killed, client_error
from tests.support.faults.cases import Case, corrupt_count, create_orphan_timer, delete_timer
from tests.support.stacks.admin_cli import ANY_SCHEDULE_ID, AdminCli
from tests.support.stacks.world import (
    UNKNOWN_SCHEDULE_ID,
    World,
    aws_client,
    create_input,
    read_timer_input,
    update_input,
)

ONE = InstallId("install-1")


@pytest.fixture
def schedule(world: World) -> Schedule:
    world.register_install(ONE)
    return create_schedule(world.services, ONE, create_input())


def timer_event(schedule: Schedule, time: str = "2026-11-23T09:00:00Z", **fields: object) -> dict[str, Any]:
    """What the schedule's timer hands to the executor."""
    return {
        "installId": ONE,
        "scheduleId": schedule.id,
        "revision": 1,
        "scheduledTime": time,
        "attempt": "1",
        **fields,
    }


def send_dead_letters(admin: AdminCli, schedule: Schedule, *scheduled_times: str) -> None:
    """Letters as Lambda writes them."""
    for time in scheduled_times:
        record = {
            "version": "1.0",
            "requestPayload": timer_event(schedule, time),
            "responsePayload": {"errorMessage": "no"},
        }
        admin.send_dead_letter(record)


def test_a_replayed_dead_letter_runs_and_leaves_the_queue(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    timer_input_fields = read_timer_input(world, schedule) | {
        "scheduledTime": "2026-11-23T09:00:00Z",
        "attempt": "1",
    }
    world.runner.outcome = Outcome(status=RunStatus.ERROR, http_status=500, error="no", retryable=True)
    for _ in range(3):
        with pytest.raises(RunFailed):
            execute_fire(world.services, world.runner, parse_fire(timer_input_fields))
    send_dead_letters(admin, schedule, "2026-11-23T09:00:00Z")
    world.runner.outcome = Outcome(status=RunStatus.SUCCESS, http_status=200)

    result = admin("replay", "--yes")

    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines[-1] == "1 letter delivered again."
    assert admin.receive_dead_letters() == []
    (delivered_event,) = world.list_executor_events()
    execute_fire(world.services, world.runner, parse_fire(delivered_event))
    (run,) = list_runs(world.services, ONE, schedule.id, limit=5).runs
    assert (run.status, run.attempt) == (RunStatus.SUCCESS, 4)
    second_result = admin("replay", "--yes")
    assert (second_result.exit_status, second_result.lines) == (0, ["There are no dead letters."])


def test_a_dry_run_lists_dead_letters_and_keeps_them(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    send_dead_letters(admin, schedule, "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z")
    for _ in range(2):
        result = admin("replay", "--dry-run")
        assert (result.exit_status, result.errors) == (0, [])
        assert result.lines[0].split() == [
            "Schedule",
            "Install",
            "Scheduled",
            "time",
            "Sent",
            "at",
            "Reason",
        ]
        assert [line.split()[:3] for line in result.lines[2:4]] == [
            [ANY_SCHEDULE_ID, ONE, "2026-11-23T09:00:00Z"],
            [ANY_SCHEDULE_ID, ONE, "2026-11-23T10:00:00Z"],
        ]
        assert result.lines[4:] == ["", "2 letters would be delivered again."]
    assert world.list_executor_events() == []
    assert len(admin.receive_dead_letters()) == 2


def test_dead_letters_are_reported_as_json(world: World, admin: AdminCli, schedule: Schedule) -> None:
    send_dead_letters(admin, schedule, "2026-11-23T09:00:00Z")
    document = admin("replay", "--dry-run", "--json").document
    (dead_letter,) = document.pop("deadLetters")
    assert document == {"dryRun": True, "delivered": 0, "remaining": 1, "reachedEnd": True}
    assert dead_letter.pop("messageId")
    assert dead_letter.pop("sentAt").endswith("Z")
    assert dead_letter == {
        "installId": ONE,
        "scheduleId": schedule.id,
        "scheduledTime": "2026-11-23T09:00:00Z",
        "reason": "no",
    }
    document = admin("replay", "--yes", "--json").document
    assert (document["dryRun"], document["delivered"], document["remaining"]) == (False, 1, 0)
    assert [call["replay"] for call in world.list_executor_events()] == [True]


def test_a_dead_letter_without_an_occurrence_stays(world: World, admin: AdminCli, schedule: Schedule) -> None:
    admin.send_dead_letter("no JSON")
    send_dead_letters(admin, schedule, "2026-11-23T09:00:00Z")
    result = admin("replay", "--yes")
    assert result.exit_status == 1
    assert result.lines[-2:] == [
        "1 letter delivered again.",
        "1 letter names no occurrence, and stays in the queue.",
    ]
    assert len(world.list_executor_events()) == 1


def test_more_dead_letters_than_one_batch_are_all_delivered(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    times = [f"2026-11-23T{hour:02}:00:00Z" for hour in range(24)]
    send_dead_letters(admin, schedule, *times)
    assert admin("replay", "--yes", "--json").document["delivered"] == 24
    assert (
        sorted(delivered_event["scheduledTime"] for delivered_event in world.list_executor_events()) == times
    )


def test_a_peek_ends_at_its_maximum(
    admin: AdminCli, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "MAX_PEEKED", 10)
    send_dead_letters(admin, schedule, *[f"2026-11-23T{hour:02}:00:00Z" for hour in range(12)])
    result = admin("replay", "--dry-run")
    assert result.lines[-2:] == ["10 letters would be delivered again.", "There are more letters than these."]
    assert admin("replay", "--dry-run", "--json").document["reachedEnd"] is False


def test_an_undelivered_dead_letter_stays(world: World, admin: AdminCli, schedule: Schedule) -> None:
    send_dead_letters(admin, schedule, "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z")

    def deny(call: Call) -> None:
        if call.operation == "Invoke" and world.list_executor_events():
            raise client_error("TooManyRequestsException", "Invoke")

    world.calls.before = deny
    result = admin("replay", "--yes", "--json")
    world.calls.before = None
    assert (result.exit_status, result.lines) == (5, [])
    assert result.errors == [
        "The run could not be confirmed; it may still start. Invoke failed with TooManyRequestsException: "
        "TooManyRequestsException. The letters that were delivered are gone from the queue; "
        "the same command goes on with the rest."
    ]
    attributes = aws_client("sqs").get_queue_attributes(
        QueueUrl=admin.queue_url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    assert sum(map(int, attributes.values())) == 1


def test_a_replay_asks_for_confirmation(world: World, admin: AdminCli, schedule: Schedule) -> None:
    assert admin("replay", stdin_text="n\n").lines == ["There are no dead letters."]
    send_dead_letters(admin, schedule, "2026-11-23T09:00:00Z")
    result = admin("replay", stdin_text="n\n")
    assert result.exit_status == 4
    assert result.cli_result.stderr.startswith("Deliver about 1 letter again? [y/N]:")
    assert admin("replay", "--json").exit_status == 2
    assert world.list_executor_events() == []
    assert admin("replay", stdin_text="y\n").exit_status == 0
    assert len(world.list_executor_events()) == 1


def sqs_message(body: object, **attributes: str) -> dict[str, Any]:
    """As SQS gives it."""
    return {
        "MessageId": "1",
        "ReceiptHandle": "h",
        "Body": body if isinstance(body, str) else json.dumps(body),
        "Attributes": {"SentTimestamp": "1790000000000"},
        "MessageAttributes": {name: {"StringValue": value} for name, value in attributes.items()},
    }


EVENT = {
    "installId": "install-1",
    "scheduleId": UNKNOWN_SCHEDULE_ID,
    "revision": 3,
    "scheduledTime": "2026-11-23T09:00:00Z",
}


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        "[]",
        "3",
        "{}",
        {"requestPayload": None},
        {"requestPayload": {"installId": "a"}},
        {**EVENT, "scheduleId": "nope"},
        {**EVENT, "installId": "a b"},
        {**EVENT, "scheduledTime": "tomorrow"},
        {**EVENT, "revision": None},
        {**EVENT, "trigger": "other"},
        {**EVENT, "scheduledTime": 3},
    ],
)
def test_a_dead_letter_may_name_no_occurrence(body: object) -> None:
    assert parse_dead_letter(sqs_message(body)).fire is None


def test_a_dead_letter_of_eventbridge_is_the_event_itself() -> None:
    dead_letter = parse_dead_letter(sqs_message(EVENT, ERROR_CODE="Throttled", ERROR_MESSAGE="Rate exceeded"))
    assert dead_letter.reason == "Rate exceeded"
    fire = dead_letter.fire
    assert fire is not None
    assert (fire.install_id, fire.schedule_id, fire.revision) == ("install-1", UNKNOWN_SCHEDULE_ID, 3)
    assert (fire.scheduled_time, fire.replay, fire.trigger) == ("2026-11-23T09:00:00Z", True, "schedule")


def test_a_dead_letter_of_a_manual_run_stays_manual() -> None:
    manual = {**EVENT, "trigger": "manual", "scheduledTime": "2026-11-23T09:00:00.123Z"}
    fire = parse_dead_letter(sqs_message({"requestPayload": manual})).fire
    assert fire is not None
    assert (fire.trigger, fire.scheduled_time) == ("manual", "2026-11-23T09:00:00.123Z")


# reconcile


def leave_pending(world: World, schedule: Schedule) -> None:
    """An update that died before EventBridge, more than a minute ago."""

    def die(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            raise Killed

    world.calls.before = die
    with pytest.raises(Killed):
        update_schedule(world.services, ONE, schedule.id, update_input(cron="5 * * * *"))
    world.calls.before = None
    world.advance(minutes=2)


@pytest.mark.usefixtures("schedule")
def test_nothing_pending_is_reported(admin: AdminCli) -> None:
    result = admin("reconcile")
    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines == ["Nothing had been pending for over a minute."]
    assert admin("reconcile", "--sweep").lines == [
        "Nothing had been pending for over a minute.",
        "The sweep found nothing to mend.",
    ]


def test_pending_changes_are_synced(world: World, admin: AdminCli, schedule: Schedule) -> None:
    leave_pending(world, schedule)
    result = admin("reconcile")
    assert (result.exit_status, result.lines) == (0, ["Settled 1 that had been pending."])
    assert world.read_timers()[schedule.id]["ScheduleExpression"] == "cron(5 * * * ? *)"


def test_unsynced_changes_are_reported(world: World, admin: AdminCli, schedule: Schedule) -> None:
    leave_pending(world, schedule)

    def deny(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            raise client_error("AccessDeniedException", "UpdateSchedule")

    world.calls.before = deny
    result = admin("reconcile")
    world.calls.before = None
    assert result.exit_status == 1
    assert result.lines == [
        "Settled 0 that had been pending.",
        "1 could not be settled now: left to the reconciler; see above.",
    ]
    (error,) = result.errors
    assert schedule.id in error
    assert error.endswith(" is still pending: UpdateSchedule: AccessDeniedException")


def test_a_sweep_repairs_all_drift(world: World, admin: AdminCli, schedule: Schedule) -> None:
    case = Case(world, ONE, schedule)
    for drift in (create_orphan_timer, delete_timer, corrupt_count):
        drift(case)
    result = admin("reconcile", "--sweep", "--json")
    assert result.exit_status == 0
    assert result.document == {
        "synced": 0,
        "failed": 0,
        "swept": True,
        "repaired": {"count": 1, "missing timer": 1, "orphaned timer": 1},
    }
    assert list(world.read_timers()) == [schedule.id]
    assert sorted(line.partition(" of ")[0] for line in result.errors) == [
        "repaired: count",
        "repaired: missing timer",
        "repaired: orphaned timer",
    ]
    delete_timer(case)
    assert admin("reconcile", "--sweep").lines == [
        "Nothing had been pending for over a minute.",
        "The sweep mended:",
        "Repair          Count",
        "─────────────────────",
        "missing timer   1",
    ]


@pytest.mark.usefixtures("schedule")
def test_a_sweep_does_not_move_the_daily_sweep(world: World, admin: AdminCli) -> None:
    admin("reconcile", "--sweep")
    assert world.services.sweeps.read_sweep_state() is None


@pytest.mark.usefixtures("schedule")
def test_a_throttled_sweep_is_reported(world: World, admin: AdminCli) -> None:

    def throttle(call: Call) -> None:
        if call.operation == "GetSchedule":
            raise client_error("ThrottlingException", "GetSchedule")

    world.calls.before = throttle
    result = admin("reconcile", "--sweep", "--json")
    world.calls.before = None
    assert (result.exit_status, result.lines) == (5, [])
    assert result.errors == [
        "GetSchedule failed with ThrottlingException: ThrottlingException. "
        "The sweep is not through: what it has mended stays mended, and the same command begins anew."
    ]
