from typing import Any

import pytest
from scheduling.domain.ids import parse_install_id
from scheduling.domain.views import cursor_scope, encode_cursor

from scheduling_admin.commands.arguments import decode_list_cursor
from scheduling_admin.errors import AdminError, ExitStatus
from scheduling_admin.stack.outputs import parse_stack

OUTPUTS = {
    "TableName": "table",
    "ScheduleGroupName": "group",
    "OccurrenceQueueUrl": "https://occurrences",
    "TimerRoleArn": "arn:role",
    "TimerDeadLetterQueueArn": "arn:queue",
    "DeadLetterQueueUrl": "https://dead-letters",
    "TimerDeadLetterQueueUrl": "https://timer-dead-letters",
    "UnpublishedQueueUrl": "https://unpublished",
    "AuditFunctionName": "stack-audit",
    "ApiUrl": "https://api",
}
PARAMETERS = {
    "Stage": "prod",
    "MaxSchedulesPerInstall": "50",
    "MinIntervalMinutes": "5",
    "WritesPerMinute": "10",
    "MaxPayloadBytes": "100000",
    "RunHistoryDays": "7",
    "CatchUp": "latest",
    "MaxWaitHours": "72",
    "DefaultSpreadMinutes": "0",
    "SweepIntervalHours": "24",
    "LogLevel": "INFO",
}


def describe_stack(
    outputs: dict[str, str] = OUTPUTS, parameters: dict[str, str] = PARAMETERS, **tags: str
) -> dict[str, Any]:
    return {
        "StackName": "stack",
        "StackStatus": "UPDATE_COMPLETE",
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Tags": [{"Key": key.replace("_", "-"), "Value": value} for key, value in tags.items()],
    }


def test_a_stack_has_the_environment_of_its_functions() -> None:
    stack = parse_stack(describe_stack(), "eu-central-1")
    assert (stack.name, stack.region) == ("stack", "eu-central-1")
    assert stack.dead_letter_queue_url == "https://dead-letters"
    assert (stack.unpublished_queue_url, stack.audit_function_name) == ("https://unpublished", "stack-audit")
    assert (stack.history_days, stack.clock_url) == (7, None)
    assert stack.environment == {
        "TABLE_NAME": "table",
        "SCHEDULE_GROUP_NAME": "group",
        "OCCURRENCE_QUEUE_URL": "https://occurrences",
        "TIMER_ROLE_ARN": "arn:role",
        "TIMER_DLQ_ARN": "arn:queue",
        "STAGE": "prod",
        "MAX_SCHEDULES_PER_INSTALL": "50",
        "MIN_INTERVAL_MINUTES": "5",
        "WRITES_PER_MINUTE": "10",
        "MAX_PAYLOAD_BYTES": "100000",
        "RUN_HISTORY_DAYS": "7",
        "CATCH_UP": "latest",
        "MAX_WAIT_HOURS": "72",
        "DEFAULT_SPREAD_MINUTES": "0",
        "SWEEP_INTERVAL_HOURS": "24",
    }


@pytest.mark.parametrize(
    ("stage", "url", "expected"),
    [
        ("local", "http://127.0.0.1:3000/_local/clock", "http://127.0.0.1:3000/_local/clock"),
        ("prod", "http://127.0.0.1:3000/_local/clock", None),
        ("local", "http://elsewhere.example/_local/clock", None),
    ],
    ids=["local", "not local", "another machine"],
)
def test_only_a_local_stack_has_a_clock_of_its_own(stage: str, url: str, expected: str | None) -> None:
    parameters = {**PARAMETERS, "Stage": stage}
    assert parse_stack(describe_stack(parameters=parameters, local_clock=url), "r").clock_url == expected


def test_another_kind_of_stack_is_rejected() -> None:
    incomplete_outputs = {name: value for name, value in OUTPUTS.items() if name != "TimerRoleArn"}
    with pytest.raises(AdminError) as raised:
        parse_stack(describe_stack(incomplete_outputs), "r")
    assert raised.value.exit_status is ExitStatus.NOT_FOUND
    assert str(raised.value) == (
        "The stack stack (UPDATE_COMPLETE) has no TimerRoleArn: it is another kind of stack, is not deployed "
        "yet, or was deployed from an older template. Choose the stack with --stack-name, or deploy it again."
    )


LIST = cursor_scope("tenant-installs", "tenant-1")


def test_a_cursor_decodes_to_its_position() -> None:
    assert decode_list_cursor(LIST, encode_cursor(LIST, "install-1"), parse_install_id) == "install-1"
    assert decode_list_cursor(LIST, None, parse_install_id) is None


@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param("nonsense", id="nonsense"),
        pytest.param("é", id="not ASCII"),
        pytest.param("", id="empty"),
        pytest.param(encode_cursor(cursor_scope("installs"), "install-1"), id="another kind"),
        pytest.param(
            encode_cursor(cursor_scope("tenant-installs", "tenant-2"), "install-1"), id="another tenant"
        ),
        pytest.param(encode_cursor(LIST, "a b"), id="no install"),
    ],
)
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(AdminError, match="is not of this list"):
        decode_list_cursor(LIST, cursor, parse_install_id)
