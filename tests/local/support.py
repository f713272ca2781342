"""Fixtures and builders that the local stack's tests share."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ParamValidationError

from local.cloudformation.deploy import STACK_NAME
from local.gateway.messages import Request
from local.lambda_.functions import Function, LocalFunctions
from local.queue.consumer import QueueMapping
from local.queue.delays import DUE_AT

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


def create_mapping(max_concurrency: int = 5) -> QueueMapping:
    """Return a mapping of the queue `queue` to the function `run`."""
    return QueueMapping(
        queue_url="queue",
        queue_arn="arn:aws:sqs:us-east-1:123456789012:queue",
        function_arn="run",
        max_concurrency=max_concurrency,
        visibility_timeout=timedelta(minutes=4),
    )


@dataclass
class MemoryMessage:
    """A message of a queue in memory."""

    body: str
    group: str
    attributes: dict[str, str]
    id: str = field(default_factory=lambda: str(uuid4()))
    receive_count: int = 0
    visible: bool = True


class MemoryQueue:
    """SQS in memory, as far as the local stack calls it; a received message stays invisible until it is released."""

    def __init__(self) -> None:
        self.messages: defaultdict[str, list[MemoryMessage]] = defaultdict(list)
        self._lock = Lock()

    def bodies(self, queue: str = "queue") -> list[str]:
        """Return the bodies of a queue's messages."""
        return [message.body for message in self.messages[queue]]

    def send_message(
        self,
        *,
        QueueUrl: str = "",  # noqa: N803 (SQS's names)
        MessageBody: object,  # noqa: N803
        MessageGroupId: str = "",  # noqa: N803
        MessageAttributes: Any = None,  # noqa: N803
        delay: str = "",
    ) -> dict[str, str]:
        """SendMessage; `delay` is the time until which the message waits."""
        if not isinstance(MessageBody, str):
            raise ParamValidationError(report="MessageBody is not a string")
        attributes = {name: value["StringValue"] for name, value in (MessageAttributes or {}).items()}
        message = MemoryMessage(MessageBody, MessageGroupId, attributes | ({DUE_AT: delay} if delay else {}))
        with self._lock:
            self.messages[QueueUrl].append(message)
        return {"MessageId": message.id}

    def receive_message(self, *, QueueUrl: str, MaxNumberOfMessages: int, **_: object) -> dict[str, Any]:  # noqa: N803
        """ReceiveMessage."""
        with self._lock:
            visible = [message for message in self.messages[QueueUrl] if message.visible]
            for message in visible[:MaxNumberOfMessages]:
                message.visible = False
                message.receive_count += 1
            return {"Messages": [_describe(message) for message in visible[:MaxNumberOfMessages]]}

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> None:  # noqa: N803
        """DeleteMessage."""
        with self._lock:
            self.messages[QueueUrl] = [each for each in self.messages[QueueUrl] if each.id != ReceiptHandle]

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, **_: object) -> None:  # noqa: N803
        """ChangeMessageVisibility to 0."""
        with self._lock:
            for message in self.messages[QueueUrl]:
                message.visible = message.visible or message.id == ReceiptHandle

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:  # noqa: N803
        """GetQueueUrl; the URL is the name."""
        return {"QueueUrl": QueueName}


def _describe(message: MemoryMessage) -> dict[str, Any]:
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.id,
        "Body": message.body,
        "Attributes": {
            "ApproximateReceiveCount": str(message.receive_count),
            "SentTimestamp": "1795424400000",
            **({"MessageGroupId": message.group} if message.group else {}),
        },
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
        },
    }
