from typing import Any

import pytest

from scheduling_admin.commands.arguments import decoded, encoded
from scheduling_admin.errors import AdminError, Exit
from scheduling_admin.stack.outputs import stack_of

OUTPUTS = {
    "TableName": "table",
    "ScheduleGroupName": "group",
    "ExecuteFunctionArn": "arn:execute",
    "TimerRoleArn": "arn:role",
    "DeadLetterQueueArn": "arn:queue",
    "DeadLetterQueueUrl": "https://queue",
    "ApiUrl": "https://api",
}
PARAMETERS = {
    "Stage": "prod",
    "MaxSchedulesPerInstall": "50",
    "MinIntervalMinutes": "5",
    "WritesPerMinute": "10",
    "MaxPayloadBytes": "100000",
    "RunHistoryDays": "7",
    "LogLevel": "INFO",
}


def described(
    outputs: dict[str, str] = OUTPUTS, parameters: dict[str, str] = PARAMETERS, **tags: str
) -> dict[str, Any]:
    return {
        "StackName": "stack",
        "StackStatus": "UPDATE_COMPLETE",
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Tags": [{"Key": key.replace("_", "-"), "Value": value} for key, value in tags.items()],
    }


def test_a_stack_tells_what_its_functions_have() -> None:
    found = stack_of(described(), "eu-central-1")
    assert (found.name, found.region, found.queue_url) == ("stack", "eu-central-1", "https://queue")
    assert (found.history_days, found.clock_url) == (7, None)
    assert found.environment == {
        "TABLE_NAME": "table",
        "SCHEDULE_GROUP_NAME": "group",
        "TIMER_TARGET_ARN": "arn:execute",
        "TIMER_ROLE_ARN": "arn:role",
        "TIMER_DLQ_ARN": "arn:queue",
        "STAGE": "prod",
        "MAX_SCHEDULES_PER_INSTALL": "50",
        "MIN_INTERVAL_MINUTES": "5",
        "WRITES_PER_MINUTE": "10",
        "MAX_PAYLOAD_BYTES": "100000",
        "RUN_HISTORY_DAYS": "7",
    }


@pytest.mark.parametrize(
    ("stage", "url", "expected"),
    [
        ("local", "http://127.0.0.1:3000/_local/clock", "http://127.0.0.1:3000/_local/clock"),
        ("prod", "http://127.0.0.1:3000/_local/clock", None),
        ("local", "http://elsewhere.example/_local/clock", None),
    ],
    ids=["local", "not local", "of another machine"],
)
def test_only_a_local_stack_has_a_clock_of_its_own(stage: str, url: str, expected: str | None) -> None:
    parameters = {**PARAMETERS, "Stage": stage}
    assert stack_of(described(parameters=parameters, local_clock=url), "r").clock_url == expected


def test_another_kind_of_stack_is_told_apart() -> None:
    lacking = {name: value for name, value in OUTPUTS.items() if name != "TimerRoleArn"}
    with pytest.raises(AdminError) as refusal:
        stack_of(described(lacking), "r")
    assert refusal.value.ends_with is Exit.NOT_FOUND
    assert str(refusal.value) == (
        "The stack stack (UPDATE_COMPLETE) does not tell of TimerRoleArn: it is another kind of stack, is not deployed "
        "yet, or was deployed from an older template. Choose the stack by --stack-name, or deploy it anew."
    )


@pytest.mark.parametrize("place", ["install-1", '{"pk": {"S": "INSTALL#é"}}'])
def test_a_cursor_is_the_place_again(place: str) -> None:
    assert decoded("kind", encoded("kind", place)) == place


def test_a_list_without_an_end_has_no_cursor() -> None:
    assert encoded("kind", None) is None
    assert decoded("kind", None) is None


@pytest.mark.parametrize("cursor", ["nonsense", "é", "", encoded("other", "place")])
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(AdminError, match="is not of this list"):
        decoded("kind", cursor)
