"""The limits on the records and iterators that moto keeps."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import StreamShard
from moto.dynamodbstreams.models import dynamodbstreams_backends
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler

from local.lambda_.streams import TableStream
from local.moto import streams as moto_streams
from local.moto.streams import patch_streams

ACCOUNT, REGION = "123456789012", "us-east-1"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(StreamShard, "add", StreamShard.add)
    monkeypatch.setattr(DynamoDBStreamsHandler, "get_records", DynamoDBStreamsHandler.get_records)
    monkeypatch.setattr(moto_streams, "RETAINED_RECORDS", 3)
    monkeypatch.setattr(moto_streams, "RETAINED_ITERATORS", 2)
    patch_streams()
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        client.create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        yield client


def open_stream(client: Any) -> TableStream:
    arn = client.describe_table(TableName="table")["Table"]["LatestStreamArn"]
    config = Config(account_id_endpoint_mode="disabled")  # moto does not serve endpoints with an account id
    return TableStream(boto3.client("dynamodbstreams", region_name=REGION, config=config), arn)


def read_keys(stream: TableStream) -> list[str]:
    batches = stream.read_batches(lambda created: created)
    return [record["dynamodb"]["Keys"]["pk"]["S"] for batch in batches for record in batch.records]


def test_newest_records_are_kept_and_read_once(client: Any) -> None:
    stream = open_stream(client)
    keys = []
    for number in range(20):
        client.put_item(TableName="table", Item={"pk": {"S": str(number)}})
        keys += read_keys(stream)

    assert keys == [str(number) for number in range(20)]
    shard = dynamodb_backends[ACCOUNT][REGION].tables["table"].stream_shard
    assert shard
    assert 3 <= len(shard.items) < 6
    assert read_keys(open_stream(client)) == [str(number) for number in range(20 - len(shard.items), 20)]


def test_newest_iterators_are_kept(client: Any) -> None:
    stream = open_stream(client)
    for _ in range(10):
        read_keys(stream)

    assert len(dynamodbstreams_backends[ACCOUNT][REGION].shard_iterators) == 2
