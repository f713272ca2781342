"""What the local stack plays itself: resources that are names to each other, and nothing in AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.cloudformation.clients import Aws

Attributes = dict[str, str]
Property = Callable[[str], Any]
"""A property of the resource, by its name, resolved."""


def _function(aws: Aws, _physical: str, of: Property) -> Attributes:
    name = of("FunctionName")
    return {"Ref": name, "Arn": f"{_lambda(aws)}:function:{name}"}


def _version(_aws: Aws, _physical: str, _of: Property) -> Attributes:
    return {"Version": "1"}


def _alias(aws: Aws, _physical: str, of: Property) -> Attributes:
    return {"Ref": f"{_lambda(aws)}:function:{of('FunctionName')}:{of('Name')}"}


def _layer(aws: Aws, physical: str, _of: Property) -> Attributes:
    return {"Ref": f"{_lambda(aws)}:layer:{physical}:1"}


def _role(aws: Aws, physical: str, _of: Property) -> Attributes:
    return {"Ref": physical, "Arn": f"arn:aws:iam::{aws.account}:role/{physical}"}


def _policy(aws: Aws, physical: str, _of: Property) -> Attributes:
    return {"Ref": f"arn:aws:iam::{aws.account}:policy/{physical}"}


def _log_group(aws: Aws, _physical: str, of: Property) -> Attributes:
    name = of("LogGroupName")
    return {"Ref": name, "Arn": f"arn:aws:logs:{aws.region}:{aws.account}:log-group:{name}:*"}


def _local(_aws: Aws, _physical: str, _of: Property) -> Attributes:
    return {"Ref": "local"}


def _nameless(_aws: Aws, _physical: str, _of: Property) -> Attributes:
    return {}


def _lambda(aws: Aws) -> str:
    return f"arn:aws:lambda:{aws.region}:{aws.account}"


# In the order in which they refer to each other.
PLAYED: dict[str, Callable[[Aws, str, Property], Attributes]] = {
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Version": _version,
    "AWS::Lambda::Alias": _alias,
    "AWS::Lambda::LayerVersion": _layer,
    "AWS::Lambda::EventInvokeConfig": _nameless,
    "AWS::Lambda::EventSourceMapping": _nameless,
    "AWS::Lambda::Permission": _nameless,
    "AWS::IAM::Role": _role,
    "AWS::IAM::ManagedPolicy": _policy,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::ApiGatewayV2::Api": _local,
    "AWS::ApiGatewayV2::Stage": _local,
    "AWS::Events::Rule": _local,
    "AWS::CloudWatch::Alarm": _local,
    "AWS::CloudWatch::Dashboard": _local,
}
