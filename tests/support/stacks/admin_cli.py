"""Run the operator's command line in this process, on a test world whose stack CloudFormation describes."""

import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch

import boto3
import typer.main
import typer.testing
from botocore.config import Config
from scheduling.domain.fire_events import parse_fire_event
from scheduling.domain.runs import Fire, Outcome, RunStatus, format_time
from scheduling.domain.schedule import Schedule
from typer.testing import CliRunner, Result

from scheduling_admin.app import app
from tests.support.aws.calls import Call, client_error
from tests.support.stacks.fires import PlayedQueue, execute_fire
from tests.support.stacks.world import (
    DEAD_LETTER_QUEUE_URL,
    GROUP,
    TABLE,
    TIMER_SETTINGS,
    World,
    aws_client,
    create_queues,
    read_timer_input,
)

STACK_NAME = "extension-scheduler"
AUDIT_FUNCTION_NAME = "extension-scheduler-audit"
STREAM_ENVIRONMENT = {"AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled"}
"""For commands that read the stream: moto does not support endpoints with the account's id."""
CALLER = "admin:arn:aws:sts::123456789012:user/moto"
ANY_SCHEDULE_ID = "00000000-0000-4000-8000-000000000001"
"""Replaces every schedule's id in the output."""
_QUEUES_URL = DEAD_LETTER_QUEUE_URL.rpartition("/")[0]
_UUID_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass
class CommandResult:
    """The output and the exit status of a command."""

    cli_result: Result

    @property
    def exit_status(self) -> int:
        """The exit status."""
        return self.cli_result.exit_code

    @property
    def lines(self) -> list[str]:
        """The lines of stdout without trailing spaces; every schedule has the same id."""
        return [
            _UUID_PATTERN.sub(ANY_SCHEDULE_ID, line).rstrip() for line in self.cli_result.stdout.splitlines()
        ]

    @property
    def errors(self) -> list[str]:
        """The lines of stderr."""
        return [line.rstrip() for line in self.cli_result.stderr.splitlines()]

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        assert self.cli_result.stdout.count("\n") == 1
        return json.loads(self.cli_result.stdout)


@dataclass
class AdminCli:
    """Runs commands in the world."""

    world: World
    dead_letter_queue_url: str
    timer_dead_letter_queue_url: str
    unpublished_queue_url: str
    calls: list[Call] = field(default_factory=list)
    """The AWS calls of all commands."""

    def __call__(
        self, *words: str, stdin_text: str | None = None, env: Mapping[str, str | None] | None = None
    ) -> CommandResult:
        """Run one command; `stdin_text` answers its prompt."""
        call_count = len(self.world.calls.recorded)
        result = CliRunner().invoke(app, list(words), input=stdin_text, env={"COLUMNS": "160", **(env or {})})
        self.calls += self.world.calls.recorded[call_count:]
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return CommandResult(result)

    def send_dead_letter(self, body: object, queue_url: str = "", **attributes: str) -> None:
        """Send a message to the executor's dead-letter queue, or to another one."""
        aws_client("sqs").send_message(
            QueueUrl=queue_url or self.dead_letter_queue_url,
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )

    def receive_dead_letters(self) -> list[dict[str, Any]]:
        """Return up to ten dead letters and leave them in the queue."""
        response = aws_client("sqs").receive_message(
            QueueUrl=self.dead_letter_queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [dict(message) for message in response.get("Messages", [])]


_get_command = cache(typer.main.get_command)
"""Typer builds the commands of an application from their signatures again for each run."""


@contextmanager
def create_admin_cli(world: World) -> Iterator[AdminCli]:
    """Yield the command line, with a stack and its queues."""
    admin = AdminCli(
        world,
        dead_letter_queue_url=DEAD_LETTER_QUEUE_URL,
        timer_dead_letter_queue_url=f"{_QUEUES_URL}/timer-dead-letters",
        unpublished_queue_url=f"{_QUEUES_URL}/unpublished",
    )
    create_queues(admin.timer_dead_letter_queue_url, admin.unpublished_queue_url)
    create_stack(STACK_NAME, admin)
    with (
        patch.object(typer.testing, "_get_command", _get_command),
        patch("scheduling.bootstrap.build_services", lambda *_: world.services),
        patch("scheduling_admin.stack.queues.RECEIVE_WAIT_SECONDS", 0),
    ):
        yield admin


def create_stack(name: str, admin: AdminCli, *, omitted_output: str = "") -> None:
    """Create a CloudFormation stack that describes the world's table, timers and queues."""
    outputs = {
        "TableName": TABLE,
        "ScheduleGroupName": GROUP,
        "OccurrenceQueueUrl": TIMER_SETTINGS.occurrence_queue_url,
        "TimerRoleArn": TIMER_SETTINGS.timer_role_arn,
        "TimerDeadLetterQueueArn": TIMER_SETTINGS.timer_dlq_arn,
        "DeadLetterQueueUrl": admin.dead_letter_queue_url,
        "TimerDeadLetterQueueUrl": admin.timer_dead_letter_queue_url,
        "UnpublishedQueueUrl": admin.unpublished_queue_url,
        "AuditFunctionName": AUDIT_FUNCTION_NAME,
    }
    parameters = {
        "Stage": "test",
        "MaxSchedulesPerInstall": "50",
        "MinIntervalMinutes": "5",
        "WritesPerMinute": "1000",
        "MaxPayloadBytes": "100000",
        "RunHistoryDays": "30",
        "CatchUp": "latest",
        "MaxWaitHours": "72",
        "DefaultSpreadMinutes": "0",
        "SweepIntervalHours": "24",
    }
    template = {
        "Parameters": {each: {"Type": "String", "Default": value} for each, value in parameters.items()},
        "Resources": {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
        "Outputs": {each: {"Value": value} for each, value in outputs.items() if each != omitted_output},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # moto cannot create the resource, which only fills the template
        aws_client("cloudformation").create_stack(
            StackName=name,
            TemplateBody=json.dumps(template),
            Parameters=[
                {"ParameterKey": each, "ParameterValue": value} for each, value in parameters.items()
            ],
        )


def build_fire_at(world: World, schedule: Schedule, hour: int) -> Fire:
    """Move the clock to that hour and return its occurrence."""
    world.clock[0] = world.clock[0].replace(hour=hour, minute=0, second=0)
    return parse_fire_event(
        {**read_timer_input(world, schedule), "scheduledTime": format_time(world.clock[0])}
    ).fire


def execute_at(world: World, schedule: Schedule, hour: int, **outcome: Any) -> None:
    """Execute the occurrence of that hour, in up to three attempts, and leave the clock at that hour."""
    fire = build_fire_at(world, schedule, hour)
    world.runner.outcome = Outcome(**{"status": RunStatus.SUCCESS, "http_status": 200, **outcome})
    now, sent_count = world.clock[0], len(world.list_sent_messages())
    execute_fire(world.services, world.runner, fire)
    PlayedQueue(world, sent_count).deliver_for(minutes=10)
    world.clock[0] = now


@contextmanager
def failing_calls(world: World, operation: str, code: str = "AccessDeniedException") -> Iterator[None]:
    """Let every call of the operation fail with the error code within the block."""

    def fail(call: Call) -> None:
        if call.operation == operation:
            raise client_error(code, operation)

    with before_each_call(world, fail):
        yield


@contextmanager
def before_each_call(world: World, hook: Callable[[Call], None]) -> Iterator[None]:
    """Run the hook before each AWS call within the block."""
    world.calls.before = hook
    try:
        yield
    finally:
        world.calls.before = None


def send_unpublished_batch(
    admin: AdminCli, first: Mapping[str, Any], last: Mapping[str, Any], **fields: object
) -> None:
    """Send the message that Lambda sends for a range of stream records that the audit function did not accept."""
    arn = first["eventSourceARN"]
    streams: Any = boto3.client("dynamodbstreams", config=Config(account_id_endpoint_mode="disabled"))
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    batch_info = {
        "shardId": shard["ShardId"],
        "startSequenceNumber": first["dynamodb"]["SequenceNumber"],
        "endSequenceNumber": last["dynamodb"]["SequenceNumber"],
        "approximateArrivalOfFirstRecord": "2026-11-23T09:00:00Z",
        "approximateArrivalOfLastRecord": "2026-11-23T09:00:00Z",
        "batchSize": 1,
        "streamArn": arn,
    }
    body = {"version": "1.0", "DDBStreamBatchInfo": {**batch_info, **fields}}
    aws_client("sqs").send_message(QueueUrl=admin.unpublished_queue_url, MessageBody=json.dumps(body))


@contextmanager
def audit_function(world: World, handle_event: Callable[[Any], object]) -> Iterator[None]:
    """Let every invocation of the audit function return what `handle_event` returns for its event."""
    world.calls.invoke = handle_event
    try:
        yield
    finally:
        world.calls.invoke = None
    invoked = {call.arguments["FunctionName"] for call in world.calls.recorded if call.operation == "Invoke"}
    assert invoked <= {AUDIT_FUNCTION_NAME}
