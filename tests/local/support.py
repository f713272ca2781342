"""Fixtures and builders that the local stack's tests share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.cloudformation.deploy import STACK_NAME
from local.gateway.messages import Request
from local.lambda_.functions import Function, LocalFunctions

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).resolve().parents[2]
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": STACK_NAME,
    "AWS::URLSuffix": "amazonaws.com",
}

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
  Limit: {Type: Number, Default: 50}
  Token: {Type: String, Default: ""}
Conditions:
  HasToken: !Not [!Equals [!Ref Token, ""]]
Globals:
  Function:
    Runtime: python3.13
    Handler: app.handler
    Timeout: 29
    MemorySize: 128
    Environment:
      Variables:
        FIXTURE_TABLE: !Ref Table
        FIXTURE_GROUP: !Ref Group
        FIXTURE_LIMIT: !Ref Limit
        FIXTURE_TOKEN: !If [HasToken, !Ref Token, !Ref AWS::NoValue]
        FIXTURE_DLQ: !GetAtt Queue.Arn
        FIXTURE_TARGET: !Sub arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:${AWS::StackName}-echo
Resources:
  EchoFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub ${AWS::StackName}-echo
      CodeUri: functions/echo/
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig:
          OnFailure: {Type: SQS, Destination: !GetAtt Queue.Arn}
  Group: {Type: AWS::Scheduler::ScheduleGroup, Properties: {}}
  Queue: {Type: AWS::SQS::Queue, Properties: {MessageRetentionPeriod: 1209600}}
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {}}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}, {AttributeName: since, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - IndexName: pending
          KeySchema: [{AttributeName: since, KeyType: HASH}]
          Projection: {ProjectionType: KEYS_ONLY}
      TimeToLiveSpecification: {AttributeName: expiresAt, Enabled: true}
"""


def create_function(name: str, handler: Callable[[Any, Any], Any]) -> Function:
    """Return a function whose ARN is its name."""
    return Function(name=name, arn=name, timeout=29, memory=128, handler=handler)


def create_functions(**handlers: Callable[[Any, Any], Any]) -> LocalFunctions:
    """Return functions with the names of their handlers."""
    return LocalFunctions([create_function(name, handler) for name, handler in handlers.items()])


def create_request(
    method: str = "GET", path: str = "/", query: str = "", body: bytes = b"", **headers: str
) -> Request:
    """Return a request; underscores in header names become dashes."""
    header_values = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, path, query, header_values, body, request_id="request-1")
