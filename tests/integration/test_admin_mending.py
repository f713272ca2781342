"""Dead letters delivered again, and both systems brought together, by the operator's command line."""

import json
from typing import Any

import pytest
from scheduling.api.triggers import fire_of
from scheduling.domain.errors import RunFailed
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.runs.execute import execute
from scheduling.operations.schedules.create import create
from scheduling.operations.schedules.queries import list_runs
from scheduling.operations.schedules.update import update

from scheduling_admin.stack import dead_letters as letters
from scheduling_admin.stack.dead_letters import letter_of
from tests.support.admin import SCHEDULE, Admin
from tests.support.aws_calls import Call, Killed, refused
from tests.support.cases import OTHER, Case, drop_timer, orphan, wrong_count
from tests.support.world import World, aws_client, changed, timer_input, wanted

ONE = InstallId("install-1")


@pytest.fixture
def schedule(world: World) -> Schedule:
    world.register(ONE)
    return create(world.services, ONE, wanted())


def event(schedule: Schedule, time: str = "2026-11-23T09:00:00Z", **fields: object) -> dict[str, Any]:
    """What the schedule's timer hands to the executor."""
    return {
        "installId": ONE,
        "scheduleId": schedule.id,
        "revision": 1,
        "scheduledTime": time,
        "attempt": "1",
        **fields,
    }


def dead(admin: Admin, schedule: Schedule, *times: str) -> None:
    """Letters as Lambda writes them."""
    for time in times:
        record = {
            "version": "1.0",
            "requestPayload": event(schedule, time),
            "responsePayload": {"errorMessage": "no"},
        }
        admin.letter(record)


def test_a_dead_letter_is_run_again_and_leaves_the_queue(
    world: World, admin: Admin, schedule: Schedule
) -> None:
    given = timer_input(world, schedule) | {"scheduledTime": "2026-11-23T09:00:00Z", "attempt": "1"}
    world.runner.outcome = Outcome(status=RunStatus.ERROR, http_status=500, error="no", retryable=True)
    for _ in range(3):
        with pytest.raises(RunFailed):
            execute(world.services, world.runner, fire_of(given))
    dead(admin, schedule, "2026-11-23T09:00:00Z")
    world.runner.outcome = Outcome(status=RunStatus.SUCCESS, http_status=200)

    told = admin("replay", "--yes")

    assert (told.ends_with, told.errors) == (0, [])
    assert told.lines[-1] == "1 letter delivered again."
    assert admin.letters() == []
    (handed,) = world.handed_over()
    execute(world.services, world.runner, fire_of(handed))
    (run,) = list_runs(world.services, ONE, schedule.id, limit=5).runs
    assert (run.status, run.attempt) == (RunStatus.SUCCESS, 4)
    again = admin("replay", "--yes")
    assert (again.ends_with, again.lines) == (0, ["There are no dead letters."])


def test_letters_are_shown_and_left_by_a_dry_run(world: World, admin: Admin, schedule: Schedule) -> None:
    dead(admin, schedule, "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z")
    for _ in range(2):
        told = admin("replay", "--dry-run")
        assert (told.ends_with, told.errors) == (0, [])
        assert told.lines[0].split() == [
            "Schedule",
            "Install",
            "Scheduled",
            "time",
            "Dead",
            "since",
            "Reason",
        ]
        assert [line.split()[:3] for line in told.lines[2:4]] == [
            [SCHEDULE, ONE, "2026-11-23T09:00:00Z"],
            [SCHEDULE, ONE, "2026-11-23T10:00:00Z"],
        ]
        assert told.lines[4:] == ["", "2 letters would be delivered again."]
    assert world.handed_over() == []
    assert len(admin.letters()) == 2


def test_letters_are_told_to_machines(world: World, admin: Admin, schedule: Schedule) -> None:
    dead(admin, schedule, "2026-11-23T09:00:00Z")
    document = admin("replay", "--dry-run", "--json").document
    (letter,) = document.pop("letters")
    assert document == {"dryRun": True, "delivered": 0, "kept": 1, "allSeen": True}
    assert letter.pop("messageId")
    assert letter.pop("sentAt").endswith("Z")
    assert letter == {
        "installId": ONE,
        "scheduleId": schedule.id,
        "scheduledTime": "2026-11-23T09:00:00Z",
        "reason": "no",
    }
    document = admin("replay", "--yes", "--json").document
    assert (document["dryRun"], document["delivered"], document["kept"]) == (False, 1, 0)
    assert [call["replay"] for call in world.handed_over()] == [True]


def test_a_letter_that_names_no_occurrence_stays(world: World, admin: Admin, schedule: Schedule) -> None:
    admin.letter("no JSON")
    dead(admin, schedule, "2026-11-23T09:00:00Z")
    told = admin("replay", "--yes")
    assert told.ends_with == 1
    assert told.lines[-2:] == [
        "1 letter delivered again.",
        "1 letter names no occurrence, and stays in the queue.",
    ]
    assert len(world.handed_over()) == 1


def test_more_letters_than_one_receive_brings_are_all_delivered(
    world: World, admin: Admin, schedule: Schedule
) -> None:
    times = [f"2026-11-23T{hour:02}:00:00Z" for hour in range(24)]
    dead(admin, schedule, *times)
    assert admin("replay", "--yes", "--json").document["delivered"] == 24
    assert sorted(handed["scheduledTime"] for handed in world.handed_over()) == times


def test_a_look_ends_after_many_letters(
    admin: Admin, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "MOST_LOOKED_AT", 10)
    dead(admin, schedule, *[f"2026-11-23T{hour:02}:00:00Z" for hour in range(12)])
    told = admin("replay", "--dry-run")
    assert told.lines[-2:] == ["10 letters would be delivered again.", "There are more letters than these."]
    assert admin("replay", "--dry-run", "--json").document["allSeen"] is False


def test_what_cannot_be_delivered_stays(world: World, admin: Admin, schedule: Schedule) -> None:
    dead(admin, schedule, "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z")

    def deny(call: Call) -> None:
        if call.operation == "Invoke" and world.handed_over():
            raise refused("TooManyRequestsException", "Invoke")

    world.calls.before = deny
    told = admin("replay", "--yes", "--json")
    world.calls.before = None
    assert (told.ends_with, told.lines) == (5, [])
    assert told.errors == [
        "The run could not be confirmed; it may still start. Invoke failed with TooManyRequestsException: "
        "TooManyRequestsException. The letters that were delivered are gone from the queue; "
        "the same command goes on with the rest."
    ]
    attributes = aws_client("sqs").get_queue_attributes(
        QueueUrl=admin.queue_url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    assert sum(map(int, attributes.values())) == 1


def test_a_replay_is_asked_about(world: World, admin: Admin, schedule: Schedule) -> None:
    assert admin("replay", answer="n\n").lines == ["There are no dead letters."]
    dead(admin, schedule, "2026-11-23T09:00:00Z")
    told = admin("replay", answer="n\n")
    assert told.ends_with == 4
    assert told.result.stderr.startswith("Deliver about 1 letter again? [y/N]:")
    assert admin("replay", "--json").ends_with == 2
    assert world.handed_over() == []
    assert admin("replay", answer="y\n").ends_with == 0
    assert len(world.handed_over()) == 1


def message(body: object, **attributes: str) -> dict[str, Any]:
    """As SQS gives it."""
    return {
        "MessageId": "1",
        "ReceiptHandle": "h",
        "Body": body if isinstance(body, str) else json.dumps(body),
        "Attributes": {"SentTimestamp": "1790000000000"},
        "MessageAttributes": {name: {"StringValue": value} for name, value in attributes.items()},
    }


GIVEN = {
    "installId": "install-1",
    "scheduleId": OTHER,
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
        {**GIVEN, "scheduleId": "nope"},
        {**GIVEN, "installId": "a b"},
        {**GIVEN, "scheduledTime": "tomorrow"},
        {**GIVEN, "revision": None},
        {**GIVEN, "trigger": "other"},
        {**GIVEN, "scheduledTime": 3},
    ],
)
def test_a_letter_may_name_no_occurrence(body: object) -> None:
    assert letter_of(message(body)).fire is None


def test_a_letter_of_eventbridge_is_the_event_itself() -> None:
    letter = letter_of(message(GIVEN, ERROR_CODE="Throttled", ERROR_MESSAGE="Rate exceeded"))
    assert letter.reason == "Rate exceeded"
    fire = letter.fire
    assert fire is not None
    assert (fire.install_id, fire.schedule_id, fire.revision) == ("install-1", OTHER, 3)
    assert (fire.scheduled_time, fire.replay, fire.trigger) == ("2026-11-23T09:00:00Z", True, "schedule")


def test_a_letter_of_a_run_by_hand_stays_one() -> None:
    manual = {**GIVEN, "trigger": "manual", "scheduledTime": "2026-11-23T09:00:00.123Z"}
    fire = letter_of(message({"requestPayload": manual})).fire
    assert fire is not None
    assert (fire.trigger, fire.scheduled_time) == ("manual", "2026-11-23T09:00:00.123Z")


# reconcile


def left_pending(world: World, schedule: Schedule) -> None:
    """An update that died before EventBridge, more than a minute ago."""

    def die(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            raise Killed

    world.calls.before = die
    with pytest.raises(Killed):
        update(world.services, ONE, schedule.id, changed(cron="5 * * * *"))
    world.calls.before = None
    world.advance(minutes=2)


@pytest.mark.usefixtures("schedule")
def test_nothing_pending_is_told(admin: Admin) -> None:
    told = admin("reconcile")
    assert (told.ends_with, told.errors) == (0, [])
    assert told.lines == ["Nothing had been pending for over a minute."]
    assert admin("reconcile", "--sweep").lines == [
        "Nothing had been pending for over a minute.",
        "The sweep found nothing to mend.",
    ]


def test_what_is_pending_is_settled(world: World, admin: Admin, schedule: Schedule) -> None:
    left_pending(world, schedule)
    told = admin("reconcile")
    assert (told.ends_with, told.lines) == (0, ["Settled 1 that had been pending."])
    assert world.timers()[schedule.id]["ScheduleExpression"] == "cron(5 * * * ? *)"


def test_what_cannot_be_settled_is_told(world: World, admin: Admin, schedule: Schedule) -> None:
    left_pending(world, schedule)

    def deny(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            raise refused("AccessDeniedException", "UpdateSchedule")

    world.calls.before = deny
    told = admin("reconcile")
    world.calls.before = None
    assert told.ends_with == 1
    assert told.lines == [
        "Settled 0 that had been pending.",
        "1 could not be settled now: left to the reconciler; see above.",
    ]
    (error,) = told.errors
    assert schedule.id in error
    assert error.endswith(" is still pending: UpdateSchedule: AccessDeniedException")


def test_a_sweep_mends_all_drift_now(world: World, admin: Admin, schedule: Schedule) -> None:
    case = Case(world, ONE, schedule)
    for drift in (orphan, drop_timer, wrong_count):
        drift(case)
    told = admin("reconcile", "--sweep", "--json")
    assert told.ends_with == 0
    assert told.document == {
        "settled": 0,
        "failed": 0,
        "swept": True,
        "mended": {"count": 1, "missing timer": 1, "orphaned timer": 1},
    }
    assert list(world.timers()) == [schedule.id]
    assert sorted(line.partition(" of ")[0] for line in told.errors) == [
        "mended: count",
        "mended: missing timer",
        "mended: orphaned timer",
    ]
    drop_timer(case)
    assert admin("reconcile", "--sweep").lines == [
        "Nothing had been pending for over a minute.",
        "The sweep mended:",
        "What            How many",
        "────────────────────────",
        "missing timer   1",
    ]


@pytest.mark.usefixtures("schedule")
def test_a_sweep_leaves_the_daily_one_where_it_is(world: World, admin: Admin) -> None:
    admin("reconcile", "--sweep")
    assert world.services.sweeps.state() is None


@pytest.mark.usefixtures("schedule")
def test_a_sweep_that_is_throttled_says_so(world: World, admin: Admin) -> None:

    def throttle(call: Call) -> None:
        if call.operation == "GetSchedule":
            raise refused("ThrottlingException", "GetSchedule")

    world.calls.before = throttle
    told = admin("reconcile", "--sweep", "--json")
    world.calls.before = None
    assert (told.ends_with, told.lines) == (5, [])
    assert told.errors == [
        "GetSchedule failed with ThrottlingException: ThrottlingException. "
        "The sweep is not through: what it has mended stays mended, and the same command begins anew."
    ]
