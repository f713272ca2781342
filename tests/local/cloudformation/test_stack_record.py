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


def record_stack(aws: AwsClients, stack_name: str, **environment: str) -> dict[str, Any]:
    deploy_template(read_settings(environment), aws)
    (stack,) = aws.cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    return dict(stack)


def output_values(stack: dict[str, Any]) -> dict[str, str]:
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def parameter_values(stack: dict[str, Any]) -> dict[str, str]:
    return {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}


def test_cloudformation_lists_outputs_and_parameters_of_the_template(
    aws: AwsClients, stack_name: str
) -> None:
    stack = record_stack(aws, stack_name, RUN_HISTORY_DAYS="7")
    stack_outputs = output_values(stack)
    assert stack_outputs.keys() == SOURCE["Outputs"].keys()
    assert {each["OutputKey"]: each["Description"] for each in stack["Outputs"]} == {
        name: output["Description"] for name, output in SOURCE["Outputs"].items()
    }
    assert stack_outputs["TableName"] in aws.dynamodb.list_tables()["TableNames"]
    queue = aws.sqs.get_queue_attributes(
        QueueUrl=stack_outputs["DeadLetterQueueUrl"], AttributeNames=["QueueArn"]
    )
    assert stack_outputs["DeadLetterQueueArn"] == queue["Attributes"]["QueueArn"]
    stack_parameters = parameter_values(stack)
    assert stack_parameters.keys() == SOURCE["Parameters"].keys()
    assert (
        stack_parameters["Stage"],
        stack_parameters["RunHistoryDays"],
        stack_parameters["MaxSchedulesPerInstall"],
    ) == ("local", "7", "50")


def test_admin_and_functions_share_settings(aws: AwsClients, stack_name: str) -> None:
    template = deploy_template(read_settings({"WRITES_PER_MINUTE": "7"}), aws)
    (stack,) = aws.cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    functions = template.properties_by_type("AWS::Lambda::Function")
    variables = functions["ReconcileFunction"]["Environment"]["Variables"]
    admin_environment = parse_stack(stack, aws.region).environment
    assert admin_environment == {name: str(variables[name]) for name in admin_environment}
    shared_names = admin_environment.keys() - {"SWEEP_INTERVAL_HOURS"}  # which only the reconciler needs
    assert functions["ExecuteFunction"]["Environment"]["Variables"].keys() >= shared_names


def test_restarted_stack_shows_its_new_values(aws: AwsClients, stack_name: str) -> None:
    first = record_stack(aws, stack_name, RUN_HISTORY_DAYS="7")
    restarted = record_stack(aws, stack_name, RUN_HISTORY_DAYS="7")
    changed = record_stack(aws, stack_name, RUN_HISTORY_DAYS="9", API_PORT="3007")
    assert output_values(first) == output_values(restarted) == output_values(changed)
    assert parameter_values(changed)["RunHistoryDays"] == "9"
    assert changed["Tags"] == [{"Key": "local-clock", "Value": "http://127.0.0.1:3007/_local/clock"}]
