"""The IAM grants that an AWS call requires: actions and their resources."""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial
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
    return (
        grant.action == requirement.action
        and fnmatchcase(requirement.resource, grant.resource)
        and (not grant.leading_keys or all(map(partial(key_allowed, grant), requirement.leading_keys)))
    )


def key_allowed(grant: Grant, key: str) -> bool:
    """Return whether the grant covers the partition."""
    return any(fnmatchcase(key, pattern) for pattern in grant.leading_keys)


def _table_grants(operation: str, arguments: Mapping[str, Any]) -> Iterator[Grant]:
    if operation == "TransactWriteItems":
        steps = [next(iter(part.items())) for part in arguments["TransactItems"]]
        # Each action is held to the keys of the whole transaction: AWS does not say that it is not.
        keys = tuple(sorted({_partition(step) for _, step in steps}))
        for kind, step in steps:
            action = "ConditionCheckItem" if kind == "ConditionCheck" else f"{kind}Item"
            yield Grant(f"{_TABLES}/{step['TableName']}", f"dynamodb:{action}", keys)
    elif operation.startswith("Batch"):
        for name, request in arguments["RequestItems"].items():
            keys = tuple(sorted({key["pk"]["S"] for key in request.get("Keys", ())}))
            yield Grant(f"{_TABLES}/{name}", f"dynamodb:{operation}", keys)
    elif "IndexName" in arguments:
        yield Grant(
            f"{_TABLES}/{arguments['TableName']}/index/{arguments['IndexName']}", f"dynamodb:{operation}"
        )
    else:
        yield Grant(f"{_TABLES}/{arguments['TableName']}", f"dynamodb:{operation}", (_partition(arguments),))


def _partition(request: Mapping[str, Any]) -> str:
    """Return the key of the partition that a write or a query is about."""
    if "KeyConditionExpression" not in request:
        return str((request.get("Key") or request["Item"])["pk"]["S"])
    (name,) = [name for name, value in request["ExpressionAttributeNames"].items() if value == "pk"]
    value = re.search(rf"{name} = (:\w+)", request["KeyConditionExpression"])
    assert value
    return str(request["ExpressionAttributeValues"][value[1]]["S"])


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
