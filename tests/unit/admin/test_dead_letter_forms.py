"""Every form of a dead letter, and what is none."""

import json
from typing import Any

import pytest
from scheduling.domain.errors import InvalidFireEvent
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.runs import Fire, Trigger
from scheduling.domain.sweeps import TimerSnapshot

from scheduling_admin.stack.dead_letter_forms import parse_dead_letter_content

INSTALL, SCHEDULE = InstallId("install-1"), ScheduleId("01a20745-4897-4f81-a91e-a0d09962b8d6")
TIME = "2026-11-23T09:00:00Z"
EVENT = {"installId": INSTALL, "scheduleId": SCHEDULE, "revision": 3, "scheduledTime": TIME, "attempt": "1"}
FIRE = Fire(install_id=INSTALL, schedule_id=SCHEDULE, timer_revision=3, scheduled_time=TIME, replay=True)
ATTRIBUTES = {
    "SCHEDULE_ARN": f"arn:aws:scheduler:eu-central-1:123456789012:schedule/group/{SCHEDULE}",
    "SCHEDULED_TIME": TIME,
    "TARGET_ARN": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage",
    "ERROR_CODE": "AccessDenied",
    "ERROR_MESSAGE": "not authorized",
    "EXECUTION_ID": "1",
    "RETRY_ATTEMPTS": "20",
    "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
    "IS_PAYLOAD_TRUNCATED": "false",
}
SEND_MESSAGE = {
    "QueueUrl": "https://queue",
    "MessageBody": json.dumps(EVENT),
    "MessageGroupId": "tenant-1",
}
INVOKE = {"FunctionName": "execute", "InvocationType": "Event", "Payload": json.dumps(EVENT)}
LAMBDA_RECORD = {
    "version": "1.0",
    "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
    "requestPayload": EVENT,
    "responsePayload": {"errorMessage": "Attempt 3 failed", "errorType": "RunFailed"},
}
UNREPLACED = {**EVENT, "scheduledTime": "<aws.scheduler.scheduled-time>", "attempt": "<aws.scheduler.x>"}


def message(body: object, system: Any = None, **attributes: str) -> dict[str, Any]:
    """Return a message as SQS does."""
    return {
        "MessageId": "1",
        "ReceiptHandle": "h",
        "Body": body if isinstance(body, str) else json.dumps(body),
        "Attributes": {"SentTimestamp": "1790000000000", **(system or {})},
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }


@pytest.mark.parametrize(
    ("raw_message", "group", "reason"),
    [
        pytest.param(
            message({**EVENT, "replay": True}, {"MessageGroupId": "tenant-1"}, ERROR_MESSAGE="HTTP 500"),
            "tenant-1",
            "HTTP 500",
            id="executor",
        ),
        pytest.param(
            message(
                EVENT, {"MessageGroupId": "tenant-1", "DeadLetterQueueSourceArn": "arn:aws:sqs:::occurrences"}
            ),
            "tenant-1",
            "The function died at each delivery",
            id="moved by SQS",
        ),
        pytest.param(message(SEND_MESSAGE, **ATTRIBUTES), "tenant-1", "not authorized", id="SendMessage"),
        pytest.param(message(INVOKE, **ATTRIBUTES), None, "not authorized", id="Invoke"),
        pytest.param(
            message({**INVOKE, "Payload": EVENT}, **ATTRIBUTES), None, "not authorized", id="Invoke, object"
        ),
        pytest.param(message(EVENT, ERROR_CODE="Throttled"), None, "Throttled", id="bare input"),
        pytest.param(
            message(UNREPLACED, **ATTRIBUTES), None, "not authorized", id="bare input, not replaced"
        ),
        pytest.param(
            message({**SEND_MESSAGE, "MessageBody": json.dumps(UNREPLACED)}, **ATTRIBUTES),
            "tenant-1",
            "not authorized",
            id="SendMessage, not replaced",
        ),
        pytest.param(message(LAMBDA_RECORD), None, "Attempt 3 failed", id="Lambda's record"),
        pytest.param(
            message({**LAMBDA_RECORD, "responsePayload": None}), None, None, id="Lambda's record, no response"
        ),
    ],
)
def test_form_is_understood(raw_message: dict[str, Any], group: str | None, reason: str | None) -> None:
    content = parse_dead_letter_content(raw_message)
    assert content.parse_replay() == FIRE
    assert (content.group, content.reason, content.timer_name) == (group, reason, None)


def test_dead_letter_of_a_manual_run_stays_manual() -> None:
    manual = {**EVENT, "trigger": "manual", "scheduledTime": "2026-11-23T09:00:00.123Z"}
    fire = parse_dead_letter_content(message(manual)).parse_replay()
    assert (fire.trigger, fire.scheduled_time) == (Trigger.MANUAL, "2026-11-23T09:00:00.123Z")


@pytest.mark.parametrize("body", ["", '{"QueueUrl": "https://queue", "MessageBody": "{\\"instal', "[]"])
def test_attributes_and_timer_name_the_occurrence_of_an_unusable_body(body: str) -> None:
    content = parse_dead_letter_content(message(body or "-", **ATTRIBUTES))
    assert content.timer_name == SCHEDULE
    with pytest.raises(InvalidFireEvent):
        content.parse_replay()
    assert content.complete_from_timer(None) == content
    timer = TimerSnapshot(
        schedule_id=SCHEDULE,
        install_id=INSTALL,
        group="tenant-1",
        expression="cron(0 9 * * ? *)",
        timezone="UTC",
        timer_revision=3,
        matches_stack=True,
    )
    completed = content.complete_from_timer(timer)
    assert (completed.parse_replay(), completed.group) == (FIRE, "tenant-1")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param("not JSON", "installId is missing", id="not JSON"),
        pytest.param("[]", "installId is missing", id="list"),
        pytest.param("3", "installId is missing", id="number"),
        pytest.param("[" * 100_000, "installId is missing", id="deep"),
        pytest.param({}, "installId is missing", id="empty"),
        pytest.param({"requestPayload": None}, "installId is missing", id="no payload"),
        pytest.param({"requestPayload": {"installId": "a"}}, "scheduleId is missing", id="no schedule"),
        pytest.param({**SEND_MESSAGE, "MessageBody": "5"}, "installId is missing", id="5"),
        pytest.param({**EVENT, "scheduleId": "nope"}, "scheduleId is invalid", id="schedule"),
        pytest.param({**EVENT, "installId": "a b"}, "installId is invalid", id="install"),
        pytest.param({**EVENT, "installId": ["a"]}, "installId is invalid", id="list of installs"),
        pytest.param({**EVENT, "scheduledTime": "tomorrow"}, "scheduledTime is invalid", id="time"),
        pytest.param({**EVENT, "scheduledTime": 3}, "scheduledTime is invalid", id="number as time"),
        pytest.param({**EVENT, "revision": None}, "revision is missing", id="no revision"),
        pytest.param({**EVENT, "trigger": "other"}, "trigger is invalid", id="trigger"),
    ],
)
def test_message_without_an_occurrence_is_named(body: object, problem: str) -> None:
    content = parse_dead_letter_content(message(body))
    with pytest.raises(InvalidFireEvent) as error:
        content.parse_replay()
    assert problem in str(error.value)
