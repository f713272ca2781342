"""Stubs of the resources that the local stack implements itself: they have attributes, but do not exist in AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.cloudformation.clients import AwsClients

Attributes = dict[str, str]
PropertyReader = Callable[[str], Any]
"""Returns a property of the resource, resolved, by its name; None where it has none."""


def _stub_function(aws: AwsClients, physical_id: str, read_property: PropertyReader) -> Attributes:
    name = read_property("FunctionName") or physical_id
    return {"Ref": name, "Arn": f"{_lambda_arn_prefix(aws)}:function:{name}"}


def _stub_version(_aws: AwsClients, _physical_id: str, _read_property: PropertyReader) -> Attributes:
    return {"Version": "1"}


def _stub_alias(aws: AwsClients, _physical_id: str, read_property: PropertyReader) -> Attributes:
    return {
        "Ref": f"{_lambda_arn_prefix(aws)}:function:{read_property('FunctionName')}:{read_property('Name')}"
    }


def _stub_layer(aws: AwsClients, physical_id: str, _read_property: PropertyReader) -> Attributes:
    return {"Ref": f"{_lambda_arn_prefix(aws)}:layer:{physical_id}:1"}


def _stub_role(aws: AwsClients, physical_id: str, _read_property: PropertyReader) -> Attributes:
    return {"Ref": physical_id, "Arn": f"arn:aws:iam::{aws.account}:role/{physical_id}"}


def _stub_policy(aws: AwsClients, physical_id: str, _read_property: PropertyReader) -> Attributes:
    return {"Ref": f"arn:aws:iam::{aws.account}:policy/{physical_id}"}


def _stub_log_group(aws: AwsClients, _physical_id: str, read_property: PropertyReader) -> Attributes:
    name = read_property("LogGroupName")
    return {"Ref": name, "Arn": f"arn:aws:logs:{aws.region}:{aws.account}:log-group:{name}:*"}


def _stub_local(_aws: AwsClients, _physical_id: str, _read_property: PropertyReader) -> Attributes:
    return {"Ref": "local"}


def _stub_without_attributes(
    _aws: AwsClients, _physical_id: str, _read_property: PropertyReader
) -> Attributes:
    return {}


def _lambda_arn_prefix(aws: AwsClients) -> str:
    return f"arn:aws:lambda:{aws.region}:{aws.account}"


# In order of dependency: later types refer to earlier ones.
STUBS: dict[str, Callable[[AwsClients, str, PropertyReader], Attributes]] = {
    "AWS::Lambda::Function": _stub_function,
    "AWS::Lambda::Version": _stub_version,
    "AWS::Lambda::Alias": _stub_alias,
    "AWS::Lambda::LayerVersion": _stub_layer,
    "AWS::Lambda::EventInvokeConfig": _stub_without_attributes,
    "AWS::Lambda::EventSourceMapping": _stub_without_attributes,
    "AWS::Lambda::Permission": _stub_without_attributes,
    "AWS::IAM::Role": _stub_role,
    "AWS::IAM::ManagedPolicy": _stub_policy,
    "AWS::Logs::LogGroup": _stub_log_group,
    "AWS::ApiGatewayV2::Api": _stub_local,
    "AWS::ApiGatewayV2::Stage": _stub_local,
    "AWS::Events::Rule": _stub_local,
    "AWS::CloudWatch::Alarm": _stub_local,
    "AWS::CloudWatch::Dashboard": _stub_local,
}
