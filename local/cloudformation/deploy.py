"""Creates the template's resources: those that hold state in AWS, those that the local stack implements as stubs.

Every step is idempotent: an existing resource is kept, and a queue gets the template's attributes.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from local.cloudformation.stubs import STUBS
from local.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.cloudformation.clients import AwsClients
    from local.cloudformation.stubs import Attributes
    from local.cloudformation.template import Resource, Template

STACK_NAME = "extension-scheduler-local"

_QUEUE_ATTRIBUTES = ("MessageRetentionPeriod", "VisibilityTimeout")

Properties = dict[str, Any]


def pseudo_parameters(aws: AwsClients) -> dict[str, str]:
    """Return the pseudo parameters that CloudFormation defines for every template."""
    return {
        "AWS::AccountId": aws.account,
        "AWS::Partition": "aws",
        "AWS::Region": aws.region,
        "AWS::StackName": STACK_NAME,
        "AWS::URLSuffix": "amazonaws.com",
    }


def deploy_resources(template: Template, aws: AwsClients, secrets: Mapping[str, str]) -> None:
    """Create every resource of the template.

    Args:
        template: The expanded template; receives the attributes of its resources.
        aws: The clients.
        secrets: Secret values by logical id; other secrets get the value that their properties generate.

    Raises:
        StackError: A resource has a type that the local stack does not support.
    """
    for name, resource in template.resources.items():
        if resource.type not in STUBS and resource.type not in _RESOURCE_CREATORS:
            raise StackError(f"the local stack has no rule for {resource.type} ({name})")
    for resource_type, create_stub in STUBS.items():
        for name, resource in template.resources.items():
            if resource.type == resource_type:
                read_property = partial(_resolve_property, template, resource)
                template.attributes[name] = create_stub(aws, f"{STACK_NAME}-{name}", read_property)
    for name in template.sort_by_dependency():
        resource = template.resources[name]
        if ensure := _RESOURCE_CREATORS.get(resource.type):
            properties = template.resolve(resource.properties)
            template.attributes[name] = ensure(aws, name, {**properties, "SecretString": secrets.get(name)})


def store_secret(aws: AwsClients, name: str, value: str) -> str:
    """Create or update a secret and return its ARN."""
    arn = _find_secret_arn(aws, name)
    if not arn:
        return aws.secrets.create_secret(Name=name, SecretString=value)["ARN"]
    aws.secrets.put_secret_value(SecretId=name, SecretString=value)
    return arn


def _find_secret_arn(aws: AwsClients, name: str) -> str | None:
    try:
        return aws.secrets.describe_secret(SecretId=name)["ARN"]
    except aws.secrets.exceptions.ResourceNotFoundException:
        return None


def _resolve_property(template: Template, resource: Resource, name: str) -> Any:
    return template.resolve(resource.properties.get(name))


def _ensure_schedule_group(aws: AwsClients, name: str, properties: Properties) -> Attributes:
    group = properties.get("Name", f"{STACK_NAME}-{name}")
    # Not created again where it exists: moto empties a group that is created twice.
    groups = aws.scheduler.list_schedule_groups(NamePrefix=group)["ScheduleGroups"]
    arn = next((candidate["Arn"] for candidate in groups if candidate["Name"] == group), None)
    return {"Ref": group, "Arn": arn or aws.scheduler.create_schedule_group(Name=group)["ScheduleGroupArn"]}


def _ensure_queue(aws: AwsClients, name: str, properties: Properties) -> Attributes:
    queue = properties.get("QueueName", f"{STACK_NAME}-{name}")
    attributes: Any = {key: str(properties[key]) for key in _QUEUE_ATTRIBUTES if key in properties}
    if redrive_policy := properties.get("RedrivePolicy"):
        attributes["RedrivePolicy"] = json.dumps(redrive_policy)
    try:
        url = aws.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        aws.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    except aws.sqs.exceptions.QueueDoesNotExist:
        url = aws.sqs.create_queue(QueueName=queue, Attributes=attributes)["QueueUrl"]
    response = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return {"Ref": url, "Arn": response["Attributes"]["QueueArn"], "QueueName": queue}


def _ensure_secret(aws: AwsClients, name: str, properties: Properties) -> Attributes:
    secret = properties.get("Name", f"{STACK_NAME}-{name}")
    value, arn = properties["SecretString"], _find_secret_arn(aws, secret)
    if arn and not value:
        return {"Ref": arn}
    generated = aws.secrets.get_random_password(**properties["GenerateSecretString"])["RandomPassword"]
    return {"Ref": store_secret(aws, secret, value or generated)}


def _ensure_table(aws: AwsClients, name: str, properties: Properties) -> Attributes:
    table = properties.get("TableName", f"{STACK_NAME}-{name}")
    try:
        aws.dynamodb.describe_table(TableName=table)
    except aws.dynamodb.exceptions.ResourceNotFoundException:
        _create_table(aws, table, properties)
    description = aws.dynamodb.describe_table(TableName=table)["Table"]
    if (
        "StreamSpecification" in properties and "LatestStreamArn" not in description
    ):  # the table is from a release without a stream
        description = aws.dynamodb.update_table(
            TableName=table, StreamSpecification=_build_stream_specification(properties)
        )["TableDescription"]
    return {"Ref": table, "Arn": description["TableArn"], "StreamArn": description.get("LatestStreamArn", "")}


def _create_table(aws: AwsClients, table: str, properties: Properties) -> None:
    aws.dynamodb.create_table(
        TableName=table,
        BillingMode=properties["BillingMode"],
        KeySchema=properties["KeySchema"],
        AttributeDefinitions=properties["AttributeDefinitions"],
        GlobalSecondaryIndexes=properties.get("GlobalSecondaryIndexes", []),
        StreamSpecification=_build_stream_specification(properties),
    )
    aws.dynamodb.get_waiter("table_exists").wait(TableName=table)
    if expiry := properties.get("TimeToLiveSpecification"):
        aws.dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=expiry)


def _build_stream_specification(properties: Properties) -> Any:
    """Add StreamEnabled, which CloudFormation lacks: there, the property's presence says so."""
    specification = properties.get("StreamSpecification", {})
    return {"StreamEnabled": bool(specification), **specification}


def _ensure_event_bus(aws: AwsClients, name: str, properties: Properties) -> Attributes:
    bus = properties.get("Name", f"{STACK_NAME}-{name}")
    try:
        arn = aws.events.create_event_bus(Name=bus)["EventBusArn"]
    except aws.events.exceptions.ResourceAlreadyExistsException:
        arn = aws.events.describe_event_bus(Name=bus)["Arn"]
    return {"Ref": bus, "Arn": arn, "Name": bus}


_RESOURCE_CREATORS: dict[str, Callable[[AwsClients, str, Properties], Attributes]] = {
    "AWS::DynamoDB::Table": _ensure_table,
    "AWS::Events::EventBus": _ensure_event_bus,
    "AWS::Scheduler::ScheduleGroup": _ensure_schedule_group,
    "AWS::SecretsManager::Secret": _ensure_secret,
    "AWS::SQS::Queue": _ensure_queue,
}
