"""Make the template's resources: in AWS what holds state, by name alone what the local stack plays itself.

Every step may be repeated: what exists stays as it is.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from local.cloudformation.stubs import PLAYED
from local.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.cloudformation.clients import Aws
    from local.cloudformation.stubs import Attributes
    from local.cloudformation.template import Resource, Template

STACK_NAME = "extension-scheduler-local"

Properties = dict[str, Any]


def pseudo_parameters(aws: Aws) -> dict[str, str]:
    """The values that CloudFormation gives to every template."""
    return {
        "AWS::AccountId": aws.account,
        "AWS::Partition": "aws",
        "AWS::Region": aws.region,
        "AWS::StackName": STACK_NAME,
        "AWS::URLSuffix": "amazonaws.com",
    }


def deploy(template: Template, aws: Aws, secrets: Mapping[str, str]) -> None:
    """Make every resource of the template; secrets get the values given by logical id, else what they generate.

    :raises StackError: at a resource type that has no rule
    """
    for name, resource in template.resources.items():
        if resource.type not in PLAYED and resource.type not in _STATEFUL:
            raise StackError(f"the local stack has no rule for {resource.type} ({name})")
    for kind, play in PLAYED.items():
        for name, resource in template.resources.items():
            if resource.type == kind:
                of = partial(_property, template, resource)
                template.attributes[name] = play(aws, f"{STACK_NAME}-{name}", of)
    for name, resource in template.resources.items():
        if make := _STATEFUL.get(resource.type):
            properties = template.resolve(resource.properties)
            template.attributes[name] = make(aws, name, {**properties, "SecretString": secrets.get(name)})


def store_secret(aws: Aws, name: str, value: str) -> str:
    """Give a secret its value, whether it exists or not, and return its ARN."""
    arn = _secret_arn(aws, name)
    if not arn:
        return aws.secrets.create_secret(Name=name, SecretString=value)["ARN"]
    aws.secrets.put_secret_value(SecretId=name, SecretString=value)
    return arn


def _secret_arn(aws: Aws, name: str) -> str | None:
    try:
        return aws.secrets.describe_secret(SecretId=name)["ARN"]
    except aws.secrets.exceptions.ResourceNotFoundException:
        return None


def _property(template: Template, resource: Resource, name: str) -> Any:
    return template.resolve(resource.properties[name])


def _group(aws: Aws, name: str, properties: Properties) -> Attributes:
    group = properties.get("Name", f"{STACK_NAME}-{name}")
    # Look first: moto empties a group that is created twice.
    groups = aws.scheduler.list_schedule_groups(NamePrefix=group)["ScheduleGroups"]
    arn = next((found["Arn"] for found in groups if found["Name"] == group), None)
    return {"Ref": group, "Arn": arn or aws.scheduler.create_schedule_group(Name=group)["ScheduleGroupArn"]}


def _queue(aws: Aws, name: str, properties: Properties) -> Attributes:
    queue = properties.get("QueueName", f"{STACK_NAME}-{name}")
    retention = str(properties["MessageRetentionPeriod"])
    url = aws.sqs.create_queue(QueueName=queue, Attributes={"MessageRetentionPeriod": retention})["QueueUrl"]
    found = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return {"Ref": url, "Arn": found["Attributes"]["QueueArn"], "QueueName": queue}


def _secret(aws: Aws, name: str, properties: Properties) -> Attributes:
    secret = properties.get("Name", f"{STACK_NAME}-{name}")
    value, arn = properties["SecretString"], _secret_arn(aws, secret)
    if arn and not value:
        return {"Ref": arn}
    generated = aws.secrets.get_random_password(**properties["GenerateSecretString"])["RandomPassword"]
    return {"Ref": store_secret(aws, secret, value or generated)}


def _table(aws: Aws, name: str, properties: Properties) -> Attributes:
    table = properties.get("TableName", f"{STACK_NAME}-{name}")
    try:
        aws.dynamodb.describe_table(TableName=table)
    except aws.dynamodb.exceptions.ResourceNotFoundException:
        _create_table(aws, table, properties)
    made = aws.dynamodb.describe_table(TableName=table)["Table"]
    if "StreamSpecification" in properties and "LatestStreamArn" not in made:  # of an earlier release
        made = aws.dynamodb.update_table(TableName=table, StreamSpecification=_stream(properties))[
            "TableDescription"
        ]
    return {"Ref": table, "Arn": made["TableArn"], "StreamArn": made.get("LatestStreamArn", "")}


def _create_table(aws: Aws, table: str, properties: Properties) -> None:
    aws.dynamodb.create_table(
        TableName=table,
        BillingMode=properties["BillingMode"],
        KeySchema=properties["KeySchema"],
        AttributeDefinitions=properties["AttributeDefinitions"],
        GlobalSecondaryIndexes=properties.get("GlobalSecondaryIndexes", []),
        StreamSpecification=_stream(properties),
    )
    aws.dynamodb.get_waiter("table_exists").wait(TableName=table)
    if expiry := properties.get("TimeToLiveSpecification"):
        aws.dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=expiry)


def _stream(properties: Properties) -> Any:
    """CloudFormation has no word for whether there is one."""
    specification = properties.get("StreamSpecification", {})
    return {"StreamEnabled": bool(specification), **specification}


def _bus(aws: Aws, name: str, properties: Properties) -> Attributes:
    bus = properties.get("Name", f"{STACK_NAME}-{name}")
    try:
        arn = aws.events.create_event_bus(Name=bus)["EventBusArn"]
    except aws.events.exceptions.ResourceAlreadyExistsException:
        arn = aws.events.describe_event_bus(Name=bus)["Arn"]
    return {"Ref": bus, "Arn": arn, "Name": bus}


_STATEFUL: dict[str, Callable[[Aws, str, Properties], Attributes]] = {
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::EventBus": _bus,
    "AWS::Scheduler::ScheduleGroup": _group,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::SQS::Queue": _queue,
}
