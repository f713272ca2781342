"""The command `replay`."""

import json
from threading import Thread
from typing import Any

import pytest
from scheduling.domain.fire_events import parse_fire_event
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import list_runs

from scheduling_admin.stack import queues
from scheduling_admin.stack.connection import connect
from scheduling_admin.stack.options import CommonOptions
from tests.support.aws.calls import Call, client_error
from tests.support.stacks.admin_cli import AdminCli, before_each_call
from tests.support.stacks.fires import PlayedQueue, execute_fire
from tests.support.stacks.world import (
    GROUP,
    TENANT,
    UNKNOWN_SCHEDULE_ID,
    World,
    aws_client,
    create_input,
    read_timer_input,
)

ONE = InstallId("install-1")


def timer_event(schedule: Schedule, time: str = "2026-11-23T09:00:00Z", **fields: object) -> dict[str, Any]:
    """Return the event that the schedule's timer delivers."""
    return {
        "installId": ONE,
        "scheduleId": schedule.id,
        "revision": 1,
        "scheduledTime": time,
        "attempt": "1",
        **fields,
    }


def send_dead_letters(admin: AdminCli, schedule: Schedule, *scheduled_times: str) -> None:
    """Send dead letters as Lambda writes them."""
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
    execute_fire(world.services, world.runner, parse_fire_event(timer_input_fields).fire)
    PlayedQueue(world).deliver_for(minutes=10)
    sent_count = len(world.list_executor_events())
    world.runner.outcome = Outcome(status=RunStatus.SUCCESS, http_status=200)

    result = admin("replay", "--yes")

    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines[-1] == "1 dead letter delivered again."
    assert admin.receive_dead_letters() == []
    (message,) = world.list_sent_messages()[sent_count:]
    assert (message.group, message.event["replay"]) == (TENANT, True)
    PlayedQueue(world, sent_count).deliver_for(minutes=1)
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
            "Count", "Schedule", "Install", "Scheduled", "time", "Sent", "at", "Reason",
        ]  # fmt: skip
        assert result.lines[2].split()[:4] == ["2", schedule.id[-8:], ONE, "2026-11-23T09:00:00Z"]
        assert result.lines[3].split()[0] == "2026-11-23T10:00:00Z"
        assert result.lines[4:] == ["", "2 dead letters would be delivered again."]
    assert world.list_executor_events() == []
    assert len(admin.receive_dead_letters()) == 2


def test_dead_letters_are_reported_as_json(world: World, admin: AdminCli, schedule: Schedule) -> None:
    send_dead_letters(admin, schedule, "2026-11-23T09:00:00Z")
    document = admin("replay", "--dry-run", "--json").document
    (dead_letter,) = document.pop("deadLetters")
    assert document == {"dryRun": True, "delivered": 0, "remaining": 1, "reachedEnd": True, "outcomes": None}
    assert dead_letter.pop("messageId")
    assert dead_letter.pop("sentAt").endswith("Z")
    assert dead_letter == {
        "installId": ONE,
        "scheduleId": schedule.id,
        "scheduledTime": "2026-11-23T09:00:00Z",
        "reason": "no",
        "problem": None,
        "body": None,
    }
    document = admin("replay", "--yes", "--json").document
    assert (document["dryRun"], document["delivered"], document["remaining"]) == (False, 1, 0)
    assert [event["replay"] for event in world.list_executor_events()] == [True]


def test_a_dead_letter_without_an_occurrence_stays(world: World, admin: AdminCli, schedule: Schedule) -> None:
    admin.send_dead_letter("not JSON")
    send_dead_letters(admin, schedule, "2026-11-23T09:00:00Z")
    result = admin("replay", "--yes")
    assert result.exit_status == 1
    (message,) = admin.receive_dead_letters()
    assert message["Body"] == "not JSON"
    assert [line.rstrip() for line in result.cli_result.stdout.splitlines()[-5:]] == [
        "1 dead letter delivered again.",
        "1 dead letter stays in the queue:",
        f"  {message['MessageId']}: It names no occurrence: installId is missing",
        "    not JSON",
        "To delete them: scheduling-admin replay --drop",
    ]
    assert len(world.list_executor_events()) == 1


def test_dead_letters_without_an_occurrence_are_dropped(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    admin.send_dead_letter("not JSON")
    send_dead_letters(admin, schedule, "2026-11-23T09:00:00Z")
    listed = admin("replay", "--drop", "--dry-run", "--json").document
    assert (listed["deleted"], [each["body"] for each in listed["deadLetters"]]) == (0, ["not JSON"])
    assert admin("replay", "--drop", stdin_text="n\n").exit_status == 4
    assert len(admin.receive_dead_letters()) == 2
    result = admin("replay", "--drop", "--yes")
    assert (result.exit_status, result.lines[1:]) == (0, ["    not JSON", "1 dead letter deleted."])
    (remaining,) = admin.receive_dead_letters()
    assert schedule.id in remaining["Body"]
    assert admin("replay", "--drop").lines == ["There are no dead letters that name no occurrence."]
    assert world.list_executor_events() == []


def test_dead_letters_are_selected_by_age(admin: AdminCli, schedule: Schedule) -> None:
    send_dead_letters(admin, schedule, "2026-11-23T09:00:00Z")
    listed = [
        len(admin("replay", "--dry-run", "--older-than", hours, "--json").document["deadLetters"])
        for hours in ("0", "1")
    ]
    assert listed == [1, 0]


def test_more_dead_letters_than_one_batch_are_all_delivered(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    times = [f"2026-11-23T{hour:02}:00:00Z" for hour in range(24)]
    send_dead_letters(admin, schedule, *times)
    assert admin("replay", "--yes", "--json").document["delivered"] == 24
    assert sorted(event["scheduledTime"] for event in world.list_executor_events()) == times


def test_a_peek_ends_at_its_maximum(
    admin: AdminCli, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "MAX_PEEKED", 10)
    send_dead_letters(admin, schedule, *[f"2026-11-23T{hour:02}:00:00Z" for hour in range(12)])
    result = admin("replay", "--dry-run")
    assert result.lines[-2:] == [
        "10 dead letters would be delivered again.",
        "There are more dead letters than were read.",
    ]
    assert admin("replay", "--dry-run", "--json").document["reachedEnd"] is False


def test_a_dead_letter_that_cannot_be_delivered_stays(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    send_dead_letters(admin, schedule, "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z")

    def deny(call: Call) -> None:
        if call.operation == "SendMessage" and world.list_executor_events():
            raise client_error("RequestThrottled", "SendMessage")

    with before_each_call(world, deny):
        result = admin("replay", "--yes", "--json")
    assert (result.exit_status, result.lines) == (5, [])
    assert result.errors == [
        "The run could not be confirmed; it may still start. SendMessage failed with RequestThrottled: "
        "RequestThrottled. Delivered dead letters are deleted from the queue; "
        "run the same command again to continue with the rest."
    ]
    attributes = aws_client("sqs").get_queue_attributes(
        QueueUrl=admin.dead_letter_queue_url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    assert sum(map(int, attributes.values())) == 1


def test_a_replay_asks_for_confirmation(world: World, admin: AdminCli, schedule: Schedule) -> None:
    assert admin("replay", stdin_text="n\n").lines == ["There are no dead letters."]
    send_dead_letters(admin, schedule, "2026-11-23T09:00:00Z")
    result = admin("replay", stdin_text="n\n")
    assert result.exit_status == 4
    assert result.cli_result.stderr.startswith("Deliver about 1 dead letter again? [y/N]:")
    assert admin("replay", "--json").exit_status == 2
    assert world.list_executor_events() == []
    assert admin("replay", stdin_text="y\n").exit_status == 0
    assert len(world.list_executor_events()) == 1


@pytest.fixture
def dead_letters(world: World, admin: AdminCli, schedule: Schedule) -> dict[str, str]:
    """Dead letters of three installs of two tenants, in both queues; the id of each one's schedule."""
    other = create_schedule(
        world.services, world.register_install(InstallId("install-2"), tenantId=TENANT), create_input()
    )
    foreign = create_schedule(
        world.services, world.register_install(InstallId("install-3"), tenantId="tenant-2"), create_input()
    )
    admin.send_dead_letter(timer_event(schedule), ERROR_MESSAGE="The extension answered 500")
    event = {**timer_event(other), "installId": "install-2"}
    admin.send_dead_letter(event, ERROR_MESSAGE="It waited for 72 hours")
    request = {
        "QueueUrl": "https://queue",
        "MessageBody": json.dumps({**timer_event(foreign), "installId": "install-3"}),
        "MessageGroupId": "tenant-2",
    }
    admin.send_dead_letter(request, admin.timer_dead_letter_queue_url, ERROR_MESSAGE="not authorized")
    admin.send_dead_letter("not JSON", ERROR_MESSAGE="not authorized")
    return {"one": schedule.id, "other": other.id, "foreign": foreign.id}


@pytest.mark.parametrize(
    ("words", "names"),
    [
        pytest.param([], ["foreign", "one", "other"], id="all"),
        pytest.param(["--install", "install-2"], ["other"], id="install"),
        pytest.param(["--tenant", TENANT], ["one", "other"], id="tenant"),
        pytest.param(["--tenant", "tenant-2"], ["foreign"], id="tenant of a timer's dead letter"),
        pytest.param(["--reason", "ANSWERED 5"], ["one"], id="reason"),
        pytest.param(["--reason", "authorized"], ["foreign"], id="reason in both queues"),
        pytest.param(["--tenant", TENANT, "--reason", "72 hours"], ["other"], id="tenant and reason"),
        pytest.param(["--install", "install-3", "--tenant", TENANT], [], id="none"),
    ],
)
def test_dead_letters_are_selected(
    world: World, admin: AdminCli, dead_letters: dict[str, str], words: list[str], names: list[str]
) -> None:
    listed = admin("replay", "--dry-run", "--json", *words).document["deadLetters"]
    result = admin("replay", "--yes", "--json", *words)

    expected = {dead_letters[name] for name in names}
    assert {each["scheduleId"] for each in listed} - {None} == expected
    assert result.document["delivered"] == len(expected)
    messages = world.list_sent_messages()
    assert {message.event["scheduleId"] for message in messages} == expected
    tenants = {"install-1": TENANT, "install-2": TENANT, "install-3": "tenant-2"}
    assert all(message.group == tenants[message.event["installId"]] for message in messages)
    remaining = admin("replay", "--dry-run", "--json").document["deadLetters"]
    assert {each["scheduleId"] for each in remaining} == {*dead_letters.values(), None} - expected


def test_dead_letters_of_one_schedule_are_selected(
    world: World, admin: AdminCli, dead_letters: dict[str, str]
) -> None:
    admin("replay", "--yes", "--schedule", dead_letters["other"])
    assert [event["scheduleId"] for event in world.list_executor_events()] == [dead_letters["other"]]


@pytest.mark.parametrize(
    "time", ["2026-11-23T10:00:00Z", "2026-11-23T10:00Z", "2026-11-23T10:00", "2026-11-23T11:00+01:00"]
)
def test_the_dead_letter_of_one_occurrence_is_selected(
    world: World, admin: AdminCli, schedule: Schedule, time: str
) -> None:
    send_dead_letters(admin, schedule, *(f"2026-11-23T{hour:02}:00:00Z" for hour in (9, 10, 11)))
    result = admin("replay", "--yes", "--schedule", schedule.id, "--occurrence", time)
    assert result.lines[-1] == "1 dead letter delivered again."
    assert [event["scheduledTime"] for event in world.list_executor_events()] == ["2026-11-23T10:00:00Z"]
    again = admin("replay", "--yes", "--schedule", schedule.id, "--occurrence", time)
    assert (again.exit_status, again.lines) == (0, ["There are no such dead letters."])
    assert len(admin.receive_dead_letters()) == 2


def test_a_manual_run_is_selected_by_its_time_with_milliseconds(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    times = {"schedule": "2026-11-23T09:00:00Z", "manual": "2026-11-23T09:00:00.000Z"}
    for trigger, time in times.items():
        admin.send_dead_letter(timer_event(schedule, time, trigger=trigger))
    assert admin("replay", "--yes", "--occurrence", times["manual"], "--json").document["delivered"] == 1
    assert [event["trigger"] for event in world.list_executor_events()] == ["manual"]


def test_an_occurrence_is_named_by_a_time(admin: AdminCli) -> None:
    result = admin("replay", "--yes", "--occurrence", "yesterday")
    assert result.exit_status == 2
    assert "'yesterday' is not a time such as 2026-11-23T09:00:00Z" in " ".join(result.errors)


def test_dead_letter_of_a_deleted_install_keeps_its_group(world: World, admin: AdminCli) -> None:
    event = {
        "installId": "gone",
        "scheduleId": UNKNOWN_SCHEDULE_ID,
        "revision": 1,
        "scheduledTime": "2026-11-23T09:00:00Z",
    }
    admin.send_dead_letter(event)
    body = json.dumps({**event, "scheduledTime": "2026-11-23T10:00:00Z"})
    request = {"QueueUrl": "https://queue", "MessageBody": body, "MessageGroupId": "tenant-9"}
    admin.send_dead_letter(request, admin.timer_dead_letter_queue_url)
    assert admin("replay", "--yes").exit_status == 0
    assert [message.group for message in world.list_sent_messages()] == ["gone", "tenant-9"]


def test_timer_supplies_what_a_cut_off_dead_letter_lacks(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    arn = f"arn:aws:scheduler:eu-central-1:123456789012:schedule/{GROUP}/{schedule.id}"
    admin.send_dead_letter(
        '{"QueueUrl": "https://que',
        admin.timer_dead_letter_queue_url,
        SCHEDULE_ARN=arn,
        SCHEDULED_TIME="2026-11-23T09:00:00Z",
    )
    assert admin("replay", "--yes").exit_status == 0
    (message,) = world.list_sent_messages()
    assert (message.group, message.event) == (
        TENANT,
        {
            "installId": ONE,
            "scheduleId": schedule.id,
            "revision": schedule.timer_revision,
            "scheduledTime": "2026-11-23T09:00:00Z",
            "trigger": "schedule",
            "replay": True,
        },
    )


def test_replay_ends_though_what_it_delivers_fails_again(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    send_dead_letters(admin, schedule, "2026-11-23T09:00:00Z")

    def fail_again(call: Call) -> None:
        if call.operation == "DeleteMessage" and len(world.list_executor_events()) < 5:
            send_dead_letters(admin, schedule, "2026-11-23T09:00:00Z")

    with before_each_call(world, fail_again):
        assert admin("replay", "--yes", "--json").document["delivered"] == 1
    assert len(admin.receive_dead_letters()) == 1


def test_a_reader_waits_for_another_that_hides_the_dead_letters(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    send_dead_letters(admin, schedule, "2026-11-23T09:00:00Z")
    queues_of_stack = connect(CommonOptions()).dead_letter_queues
    counts: list[int] = []
    second = Thread(target=lambda: counts.append(len(queues_of_stack.peek_messages().messages)))

    def read_meanwhile(call: Call) -> None:
        if call.operation == "ChangeMessageVisibilityBatch" and second.ident is None:
            second.start()
            second.join(0.3)  # without the lock, it has read an empty queue by then

    with before_each_call(world, read_meanwhile):
        counts.append(len(queues_of_stack.peek_messages().messages))
        second.join()
    assert counts == [1, 1]
