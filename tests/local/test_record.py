from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from local.cloudformation import deploy as deployment
from local.settings import read_settings
from local.stack import deploy_template
from scheduling_admin.stack.outputs import parse_stack
from tests.local.support import PROJECT

if TYPE_CHECKING:
    from local.cloudformation.clients import AwsClients

SOURCE = yaml_parse((PROJECT / "template.yaml").read_text())


@pytest.fixture(autouse=True)
def stack_name(monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"test-{uuid4()}"
    monkeypatch.setattr(deployment, "STACK_NAME", name)
    return name


def recorded(aws: AwsClients, stack_name: str, **environment: str) -> dict[str, Any]:
    deploy_template(read_settings(environment), aws)
    (found,) = aws.cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    return dict(found)


def outputs(found: dict[str, Any]) -> dict[str, str]:
    return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}


def parameters(found: dict[str, Any]) -> dict[str, str]:
    return {each["ParameterKey"]: each["ParameterValue"] for each in found["Parameters"]}


def test_cloudformation_tells_the_template_s_outputs_and_parameters(aws: AwsClients, stack_name: str) -> None:
    found = recorded(aws, stack_name, RUN_HISTORY_DAYS="7")
    told = outputs(found)
    assert told.keys() == SOURCE["Outputs"].keys()
    assert {each["OutputKey"]: each["Description"] for each in found["Outputs"]} == {
        name: output["Description"] for name, output in SOURCE["Outputs"].items()
    }
    assert told["TableName"] in aws.dynamodb.list_tables()["TableNames"]
    queue = aws.sqs.get_queue_attributes(QueueUrl=told["DeadLetterQueueUrl"], AttributeNames=["QueueArn"])
    assert told["DeadLetterQueueArn"] == queue["Attributes"]["QueueArn"]
    given = parameters(found)
    assert given.keys() == SOURCE["Parameters"].keys()
    assert (given["Stage"], given["RunHistoryDays"], given["MaxSchedulesPerInstall"]) == ("local", "7", "50")


def test_the_command_line_gives_operations_what_the_functions_have(aws: AwsClients, stack_name: str) -> None:
    template = deploy_template(read_settings({"WRITES_PER_MINUTE": "7"}), aws)
    (found,) = aws.cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    functions = template.properties_by_type("AWS::Lambda::Function")
    variables = functions["ReconcileFunction"]["Environment"]["Variables"]
    told = parse_stack(found, aws.region).environment
    assert told == {name: str(variables[name]) for name in told}
    assert functions["ExecuteFunction"]["Environment"]["Variables"].keys() >= told.keys()


def test_a_stack_that_starts_again_tells_its_new_values(aws: AwsClients, stack_name: str) -> None:
    first = recorded(aws, stack_name, RUN_HISTORY_DAYS="7")
    same = recorded(aws, stack_name, RUN_HISTORY_DAYS="7")
    other = recorded(aws, stack_name, RUN_HISTORY_DAYS="9", API_PORT="3007")
    assert outputs(first) == outputs(same) == outputs(other)
    assert parameters(other)["RunHistoryDays"] == "9"
    assert other["Tags"] == [{"Key": "local-clock", "Value": "http://127.0.0.1:3007/_local/clock"}]
