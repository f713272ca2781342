"""The operator's command line in this process, on a world of tests whose stack CloudFormation tells of."""

import json
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from typer.testing import CliRunner, Result

from scheduling_admin.app import app
from tests.support.aws.calls import Call
from tests.support.stacks.functions import deploy_functions
from tests.support.stacks.world import GROUP, TABLE, TIMER_SETTINGS, World, aws_client

STACK_NAME = "extension-scheduler"
CALLER = "admin:arn:aws:sts::123456789012:user/moto"
ANY_SCHEDULE_ID = "00000000-0000-4000-8000-000000000001"
"""Stands for every schedule's id in what is printed."""
_UUID_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass
class CommandResult:
    """What a command printed, and what it ended with."""

    cli_result: Result

    @property
    def exit_status(self) -> int:
        """The exit status."""
        return self.cli_result.exit_code

    @property
    def lines(self) -> list[str]:
        """Of stdout, each without spaces at its end and with one id for all."""
        return [
            _UUID_PATTERN.sub(ANY_SCHEDULE_ID, line).rstrip() for line in self.cli_result.stdout.splitlines()
        ]

    @property
    def errors(self) -> list[str]:
        """Of stderr."""
        return [line.rstrip() for line in self.cli_result.stderr.splitlines()]

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        assert self.cli_result.stdout.count("\n") == 1
        return json.loads(self.cli_result.stdout)


@dataclass
class AdminCli:
    """Runs commands on the world."""

    world: World
    queue_url: str
    calls: list[Call] = field(default_factory=list)
    """What all commands have called of AWS."""

    def __call__(
        self, *words: str, stdin_text: str | None = None, env: Mapping[str, str | None] | None = None
    ) -> CommandResult:
        """One command; `answer` is typed where it asks."""
        call_count = len(self.world.calls.recorded)
        # What a command sets of the environment ends with it.
        with patch.dict(os.environ):
            result = CliRunner().invoke(
                app, list(words), input=stdin_text, env={"COLUMNS": "160", **(env or {})}
            )
        self.calls += self.world.calls.recorded[call_count:]
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return CommandResult(result)

    def send_dead_letter(self, body: object, **attributes: str) -> None:
        """Put a dead letter into the queue."""
        aws_client("sqs").send_message(
            QueueUrl=self.queue_url,
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )

    def receive_dead_letters(self) -> list[dict[str, Any]]:
        """The letters that can be received at this moment."""
        response = aws_client("sqs").receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [dict(message) for message in response.get("Messages", [])]


@contextmanager
def create_admin_cli(world: World) -> Iterator[AdminCli]:
    """The command line, with a stack and a queue in the world's moto."""
    url = aws_client("sqs").create_queue(QueueName="dead-letters")["QueueUrl"]
    create_stack(STACK_NAME, queue_url=url)
    with deploy_functions(world), patch("scheduling_admin.stack.dead_letters.RECEIVE_WAIT_SECONDS", 0):
        yield AdminCli(world, url)


def create_stack(name: str, *, queue_url: str, omitted_output: str = "") -> None:
    """Let CloudFormation tell of the world's table and timers."""
    outputs = {
        "TableName": TABLE,
        "ScheduleGroupName": GROUP,
        "ExecuteFunctionArn": TIMER_SETTINGS.timer_target_arn,
        "TimerRoleArn": TIMER_SETTINGS.timer_role_arn,
        "DeadLetterQueueArn": TIMER_SETTINGS.timer_dlq_arn,
        "DeadLetterQueueUrl": queue_url,
    }
    parameters = {
        "Stage": "test",
        "MaxSchedulesPerInstall": "50",
        "MinIntervalMinutes": "5",
        "WritesPerMinute": "1000",
        "MaxPayloadBytes": "100000",
        "RunHistoryDays": "30",
    }
    template = {
        "Parameters": {each: {"Type": "String", "Default": value} for each, value in parameters.items()},
        "Resources": {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
        "Outputs": {each: {"Value": value} for each, value in outputs.items() if each != omitted_output},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # moto makes nothing of the resource, as is meant
        aws_client("cloudformation").create_stack(
            StackName=name,
            TemplateBody=json.dumps(template),
            Parameters=[
                {"ParameterKey": each, "ParameterValue": value} for each, value in parameters.items()
            ],
        )
