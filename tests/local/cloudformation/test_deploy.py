from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from local.cloudformation import deploy as deployment
from local.cloudformation.deploy import deploy_resources, pseudo_parameters, store_secret
from local.cloudformation.template import Template, expand_template
from local.errors import StackError
from local.lambda_.functions import load_functions
from tests.local.support import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloudformation.clients import AwsClients


@pytest.fixture(autouse=True)
def unique_stack_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "STACK_NAME", f"test-{uuid4()}")


def deploy_project(aws: AwsClients, project: Path, **parameters: str) -> Template:
    template = expand_template(project / "template.yaml", parameters, pseudo_parameters(aws))
    deploy_resources(template, aws, {"Secret": "the-token"})
    return template


def test_stateful_resources_are_created(aws: AwsClients, project: Path) -> None:
    template = deploy_project(aws, project)
    ref = {name: values.get("Ref", "") for name, values in template.attributes.items()}
    table = aws.dynamodb.describe_table(TableName=ref["Table"])["Table"]
    assert table["GlobalSecondaryIndexes"][0]["IndexName"] == "pending"
    expiry = aws.dynamodb.describe_time_to_live(TableName=ref["Table"])["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expiresAt"}
    assert aws.secrets.get_secret_value(SecretId=ref["Secret"])["SecretString"] == "the-token"
    queue = aws.sqs.get_queue_attributes(QueueUrl=ref["Queue"], AttributeNames=["MessageRetentionPeriod"])
    assert queue["Attributes"]["MessageRetentionPeriod"] == "1209600"
    assert aws.scheduler.get_schedule_group(Name=ref["Group"])["State"] == "ACTIVE"


def test_audit_bus_and_stream_are_created_and_kept(aws: AwsClients) -> None:
    first = deploy_project(aws, PROJECT, RunnerBaseUrl="http://runner").attributes
    second = deploy_project(aws, PROJECT, RunnerBaseUrl="http://runner").attributes
    assert second["EventBus"] == first["EventBus"]
    assert second["Table"] == first["Table"]
    bus = aws.events.describe_event_bus(Name=first["EventBus"]["Ref"])
    assert bus["Arn"] == first["EventBus"]["Arn"]
    stream = aws.streams.describe_stream(StreamArn=first["Table"]["StreamArn"])["StreamDescription"]
    assert (stream["TableName"], stream["StreamViewType"]) == (first["Table"]["Ref"], "NEW_AND_OLD_IMAGES")


def test_table_of_an_earlier_release_gets_a_stream(aws: AwsClients, project: Path) -> None:
    table = deploy_project(aws, project).attributes["Table"]
    assert table["StreamArn"] == ""
    path = project / "template.yaml"
    path.write_text(path.read_text() + "      StreamSpecification: {StreamViewType: KEYS_ONLY}\n")
    redeployed = deploy_project(aws, project).attributes["Table"]
    assert (redeployed["Ref"], redeployed["Arn"]) == (table["Ref"], table["Arn"])
    stream = aws.streams.describe_stream(StreamArn=redeployed["StreamArn"])["StreamDescription"]
    assert stream["StreamViewType"] == "KEYS_ONLY"


def test_second_deployment_keeps_everything(aws: AwsClients, project: Path) -> None:
    first = deploy_project(aws, project)
    group, table = first.attributes["Group"]["Ref"], first.attributes["Table"]["Ref"]
    aws.scheduler.create_schedule(
        Name="kept",
        GroupName=group,
        ScheduleExpression="cron(0 9 * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
            "RoleArn": "arn:aws:iam::1:role/r",
        },
    )
    aws.dynamodb.put_item(TableName=table, Item={"pk": {"S": "kept"}})
    second = deploy_project(aws, project)
    assert second.attributes == first.attributes
    assert [timer["Name"] for timer in aws.scheduler.list_schedules(GroupName=group)["Schedules"]] == ["kept"]
    assert aws.dynamodb.scan(TableName=table)["Count"] == 1


def test_existing_secret_gets_the_new_value(aws: AwsClients) -> None:
    name = f"secret-{uuid4()}"
    assert store_secret(aws, name, "old") == store_secret(aws, name, "new")
    assert aws.secrets.get_secret_value(SecretId=name)["SecretString"] == "new"


def test_secret_without_a_value_is_generated_once(aws: AwsClients, project: Path) -> None:
    path = project / "template.yaml"
    spec = "GenerateSecretString: {PasswordLength: 64, ExcludePunctuation: true}"
    path.write_text(
        path.read_text().replace(
            "  Secret:",
            f"  Key: {{Type: AWS::SecretsManager::Secret, Properties: {{{spec}}}}}\n  Secret:",
        )
    )
    key = deploy_project(aws, project).attributes["Key"]["Ref"]
    generated = aws.secrets.get_secret_value(SecretId=key)["SecretString"]
    assert len(generated) == 64
    assert generated.isalnum()
    assert deploy_project(aws, project).attributes["Key"]["Ref"] == key
    assert aws.secrets.get_secret_value(SecretId=key)["SecretString"] == generated


def test_unsupported_resource_type_stops_the_deployment(aws: AwsClients, tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  Topic: {Type: AWS::SNS::Topic}\n"
    )
    with pytest.raises(StackError, match=r"no rule for AWS::SNS::Topic \(Topic\)"):
        deploy_project(aws, tmp_path)


def test_functions_get_the_environment_of_the_template(
    aws: AwsClients, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.startswith("FIXTURE_"):
            monkeypatch.delenv(name)
    template = deploy_project(aws, project, Limit="7")
    functions = load_functions(template)
    attributes = template.attributes
    assert {name: value for name, value in os.environ.items() if name.startswith("FIXTURE_")} == {
        "FIXTURE_TABLE": attributes["Table"]["Ref"],
        "FIXTURE_GROUP": attributes["Group"]["Ref"],
        "FIXTURE_LIMIT": "7",
        "FIXTURE_DLQ": attributes["Queue"]["Arn"],
        "FIXTURE_TARGET": attributes["EchoFunction"]["Arn"],
    }
    response = functions.invoke_function(attributes["EchoFunction"]["Arn"], {"n": 1})
    assert (response["event"], response["table"]) == ({"n": 1}, attributes["Table"]["Ref"])
    assert 28_000 < response["left"] <= 29_000


def test_function_is_invoked_by_the_arn_of_its_alias(aws: AwsClients, project: Path) -> None:
    path = project / "template.yaml"
    path.write_text(path.read_text().replace("CodeUri:", "AutoPublishAlias: live\n      CodeUri:"))
    template = deploy_project(aws, project)
    alias = template.attributes["EchoFunctionAliaslive"]["Ref"]
    assert alias == f"{template.attributes['EchoFunction']['Arn']}:live"
    assert load_functions(template).invoke_function(alias, {"n": 1})["event"] == {"n": 1}


def test_functions_that_disagree_on_a_variable_are_refused(aws: AwsClients, project: Path) -> None:
    template = deploy_project(aws, project)
    echo = template.resources["EchoFunction"]
    other: Any = {**echo.properties, "Environment": {"Variables": {"FIXTURE_LIMIT": "other"}}}
    template.resources["OtherFunction"] = type(echo)(echo.type, other)
    with pytest.raises(StackError, match="OtherFunction sets FIXTURE_LIMIT"):
        load_functions(template)


def test_project_template_can_be_deployed(aws: AwsClients) -> None:
    template = deploy_project(aws, PROJECT, RunnerBaseUrl="http://runner")
    resolved = template.properties_by_type("AWS::Lambda::Function")["ExecuteFunction"]["Environment"][
        "Variables"
    ]
    assert resolved["SCHEDULE_GROUP_NAME"] == template.attributes["ScheduleGroup"]["Ref"]
    assert resolved["OCCURRENCE_QUEUE_URL"] == template.attributes["OccurrenceQueue"]["Ref"]


def test_cancelled_transaction_changes_nothing(aws: AwsClients, project: Path) -> None:
    table = deploy_project(aws, project).attributes["Table"]["Ref"]
    before: Any = {"pk": {"S": "a"}, "map": {"M": {"list": {"L": [{"N": "1"}]}}}}
    aws.dynamodb.put_item(TableName=table, Item=before)
    update: Any = {
        "TableName": table,
        "Key": {"pk": {"S": "a"}},
        "UpdateExpression": "SET #map.#list = list_append(#map.#list, :two)",
        "ExpressionAttributeNames": {"#map": "map", "#list": "list"},
        "ExpressionAttributeValues": {":two": {"L": [{"N": "2"}]}},
    }
    put: Any = {"TableName": table, "Item": {"pk": {"S": "b"}}}
    failing: Any = {
        "TableName": table,
        "Key": {"pk": {"S": "c"}},
        "ConditionExpression": "attribute_exists(pk)",
    }
    operations: Any = [{"Update": update}, {"Put": put}, {"ConditionCheck": failing}]
    with pytest.raises(aws.dynamodb.exceptions.TransactionCanceledException):
        aws.dynamodb.transact_write_items(TransactItems=operations)
    assert aws.dynamodb.scan(TableName=table)["Items"] == [before]
    aws.dynamodb.transact_write_items(TransactItems=operations[:2])
    after = aws.dynamodb.get_item(TableName=table, Key={"pk": {"S": "a"}})["Item"]
    assert after["map"] == {"M": {"list": {"L": [{"N": "1"}, {"N": "2"}]}}}


def test_parallel_transactions_lose_nothing(aws: AwsClients, project: Path) -> None:
    table = deploy_project(aws, project).attributes["Table"]["Ref"]

    def write(number: int) -> None:
        counter: Any = {
            "TableName": table,
            "Key": {"pk": {"S": "counter"}},
            "UpdateExpression": "ADD written :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
        item: Any = {"TableName": table, "Item": {"pk": {"S": f"item-{number}"}}}
        aws.dynamodb.transact_write_items(TransactItems=[{"Update": counter}, {"Put": item}])

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(write, range(64)))
    counter = aws.dynamodb.get_item(TableName=table, Key={"pk": {"S": "counter"}})["Item"]
    assert counter["written"] == {"N": "64"}
    assert aws.dynamodb.scan(TableName=table)["Count"] == 65


def test_queue_with_a_dead_letter_queue_below_it_is_created_and_updated(
    aws: AwsClients, project: Path
) -> None:
    path = project / "template.yaml"
    text = path.read_text()
    work = (
        "  Work: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 720, RedrivePolicy: "
        "{deadLetterTargetArn: !GetAtt Queue.Arn, maxReceiveCount: 10}}}\n"
    )
    path.write_text(text.replace("  Queue:", f"{work}  Queue:"))
    first = deploy_project(aws, project).attributes
    path.write_text(path.read_text().replace("maxReceiveCount: 10", "maxReceiveCount: 7"))
    second = deploy_project(aws, project).attributes

    assert second["Work"] == first["Work"]
    names: Any = ["VisibilityTimeout", "RedrivePolicy"]
    attributes = aws.sqs.get_queue_attributes(QueueUrl=second["Work"]["Ref"], AttributeNames=names)[
        "Attributes"
    ]
    assert attributes["VisibilityTimeout"] == "720"
    assert json.loads(attributes["RedrivePolicy"]) == {
        "deadLetterTargetArn": second["Queue"]["Arn"],
        "maxReceiveCount": 7,
    }
