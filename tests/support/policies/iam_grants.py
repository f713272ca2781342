"""The IAM grants that an AWS call requires: actions and their resources."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from scripts.iam_table import Grant
from tests.support.aws.calls import Call

REGION, ACCOUNT = "eu-central-1", "123456789012"
_TABLES = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table"
_SCHEDULES = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule"


def required_grants(call: Call) -> frozenset[Grant]:
    """Return every action that IAM checks for the call, with its resource."""
    services = {
        "dynamodb": _table_grants,
        "events": _bus_grants,
        "lambda": _function_grants,
        "scheduler": _timer_grants,
        "secretsmanager": _secret_grants,
        "sqs": _queue_grants,
    }
    return frozenset(services[call.service](call.operation, call.arguments))


def grant_allows(grant: Grant, requirement: Grant) -> bool:
    """Return whether the grant, whose resource may have wildcards, covers the requirement."""
    return grant.action == requirement.action and fnmatchcase(requirement.resource, grant.resource)


def _table_grants(operation: str, arguments: Mapping[str, Any]) -> Iterator[Grant]:
    if operation == "TransactWriteItems":
        for part in arguments["TransactItems"]:
            ((kind, step),) = part.items()
            action = "ConditionCheckItem" if kind == "ConditionCheck" else f"{kind}Item"
            yield Grant(f"{_TABLES}/{step['TableName']}", f"dynamodb:{action}")
        return
    names = arguments["RequestItems"] if operation.startswith("Batch") else [arguments["TableName"]]
    index = f"/index/{arguments['IndexName']}" if "IndexName" in arguments else ""
    for name in names:
        yield Grant(f"{_TABLES}/{name}{index}", f"dynamodb:{operation}")


def _timer_grants(operation: str, arguments: Mapping[str, Any]) -> Iterator[Grant]:
    """Yield the grants; IAM authorizes ListSchedules on all schedules of all groups."""
    name = "*/*" if operation == "ListSchedules" else f"{arguments['GroupName']}/{arguments['Name']}"
    yield Grant(f"{_SCHEDULES}/{name}", f"scheduler:{operation}")
    if "Target" in arguments:
        yield Grant(arguments["Target"]["RoleArn"], "iam:PassRole")


def _secret_grants(operation: str, arguments: Mapping[str, Any]) -> Iterator[Grant]:
    yield Grant(arguments["SecretId"], f"secretsmanager:{operation}")


def _bus_grants(operation: str, arguments: Mapping[str, Any]) -> Iterator[Grant]:
    for entry in arguments["Entries"]:
        yield Grant(
            f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{entry['EventBusName']}", f"events:{operation}"
        )


def _queue_grants(operation: str, arguments: Mapping[str, Any]) -> Iterator[Grant]:
    name = arguments["QueueUrl"].rpartition("/")[2]
    yield Grant(f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}", f"sqs:{operation}")


def _function_grants(operation: str, arguments: Mapping[str, Any]) -> Iterator[Grant]:
    """Yield the grant; the IAM action is named differently from the API operation."""
    yield Grant(arguments["FunctionName"], f"lambda:{operation}Function")
