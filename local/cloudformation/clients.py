"""The AWS clients of the local stack itself, the same as any program's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.errors import StackError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class AwsClients:
    """Clients of one endpoint, with its account and region."""

    account: str
    region: str
    cloudformation: Any
    dynamodb: DynamoDBClient
    events: Any
    scheduler: EventBridgeSchedulerClient
    secrets: SecretsManagerClient
    sqs: SQSClient
    streams: Any


def connect_aws(url: str, region: str) -> AwsClients:
    """Connect to the endpoint.

    Raises:
        StackError: The endpoint does not answer.
    """
    config = Config(retries={"mode": "standard", "max_attempts": 2}, max_pool_connections=50)
    try:
        session = boto3.Session(region_name=region)
        sts = session.client("sts", endpoint_url=url, config=config)
        account = str(sts.get_caller_identity()["Account"])
    except (BotoCoreError, ClientError) as error:
        raise StackError(f"no AWS at {url} (AWS_ENDPOINT_URL): {error}") from None
    return AwsClients(
        account=account,
        region=region,
        cloudformation=session.client("cloudformation", endpoint_url=url, config=config),
        dynamodb=session.client("dynamodb", endpoint_url=url, config=config),
        events=session.client("events", endpoint_url=url, config=config),
        scheduler=session.client("scheduler", endpoint_url=url, config=config),
        secrets=session.client("secretsmanager", endpoint_url=url, config=config),
        sqs=session.client("sqs", endpoint_url=url, config=config),
        streams=session.client("dynamodbstreams", endpoint_url=url, config=config),
    )


def create_metrics_client(url: str) -> Any:
    """Return a client of CloudWatch, which is created only once there are metrics, since that takes a while."""
    return boto3.Session().client("cloudwatch", endpoint_url=url)
