"""Reading a table's stream from the stack's moto server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from local.lambda_.streams import TableStream

if TYPE_CHECKING:
    from local.cloudformation.clients import AwsClients

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
Put = Callable[[str], None]


@pytest.fixture
def table(aws: AwsClients) -> str:
    name = f"table-{uuid4()}"
    aws.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return name


@pytest.fixture
def stream(aws: AwsClients, table: str) -> TableStream:
    return TableStream(aws.streams, aws.dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"])


@pytest.fixture
def put(aws: AwsClients, table: str) -> Put:
    return lambda key: aws.dynamodb.put_item(TableName=table, Item={"pk": {"S": key}}) and None


def read_records(stream: TableStream) -> list[dict[str, Any]]:
    return [record for batch in stream.read_batches(lambda _created: START) for record in batch.records]


def read_keys(stream: TableStream) -> list[str]:
    return [record["dynamodb"]["Keys"]["pk"]["S"] for record in read_records(stream)]


def test_each_record_is_read_once_in_order(stream: TableStream, put: Put) -> None:
    put("a")
    put("b")
    assert read_keys(stream) == ["a", "b"]
    put("c")
    assert read_keys(stream) == ["c"]
    assert read_keys(stream) == []


def test_earlier_records_are_skipped(stream: TableStream, put: Put) -> None:
    put("a")
    stream.skip_existing_records()
    put("b")
    assert read_keys(stream) == ["b"]


def test_more_than_one_page_is_read_at_once(
    stream: TableStream, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.lambda_.streams._PAGE_SIZE", 2)
    for key in "abcde":
        put(key)
    assert read_keys(stream) == list("abcde")


def test_record_has_the_format_of_lambda(aws: AwsClients, stream: TableStream, table: str, put: Put) -> None:
    put("a")
    aws.dynamodb.put_item(TableName=table, Item={"pk": {"S": "a"}, "n": {"N": "1"}, "s": {"SS": ["x"]}})
    aws.dynamodb.delete_item(TableName=table, Key={"pk": {"S": "a"}})
    inserted, modified, removed = read_records(stream)
    assert inserted.keys() >= {"eventID", "eventVersion", "awsRegion"}
    assert (inserted["eventSource"], inserted["eventSourceARN"]) == ("aws:dynamodb", stream.arn)
    assert [each["eventName"] for each in (inserted, modified, removed)] == ["INSERT", "MODIFY", "REMOVE"]
    change = modified["dynamodb"]
    assert change["ApproximateCreationDateTime"] == START.timestamp()
    assert change["OldImage"] == {"pk": {"S": "a"}}
    assert change["NewImage"] == removed["dynamodb"]["OldImage"]
    assert change["NewImage"] == {"pk": {"S": "a"}, "n": {"N": "1"}, "s": {"SS": ["x"]}}
    assert {"OldImage"} & inserted["dynamodb"].keys() == {"NewImage"} & removed["dynamodb"].keys() == set()
    numbers = [int(each["dynamodb"]["SequenceNumber"]) for each in (inserted, modified, removed)]
    assert numbers == sorted(set(numbers))


def test_record_time_has_millisecond_precision(stream: TableStream, put: Put) -> None:
    before = datetime.now(UTC)
    put("a")
    after = datetime.now(UTC)
    created: list[datetime] = []
    list(stream.read_batches(lambda time: created.append(time) or START))  # type: ignore[func-returns-value]
    a_millisecond = timedelta(milliseconds=1)
    assert [before - a_millisecond <= time <= after for time in created] == [True]


def test_failed_transaction_emits_nothing_and_does_not_block(
    aws: AwsClients, stream: TableStream, table: str, put: Put
) -> None:
    put("a")

    def transact(key: str, condition: str) -> None:
        first: Any = {"Put": {"TableName": table, "Item": {"pk": {"S": f"{key}1"}}}}
        second: Any = {
            "Put": {"TableName": table, "Item": {"pk": {"S": f"{key}2"}}, "ConditionExpression": condition}
        }
        aws.dynamodb.transact_write_items(TransactItems=[first, second])

    assert read_keys(stream) == ["a"]
    with pytest.raises(aws.dynamodb.exceptions.TransactionCanceledException):
        transact("b", "attribute_exists(pk)")
    assert read_keys(stream) == []
    transact("c", "attribute_not_exists(pk)")
    put("d")
    assert read_keys(stream) == ["c1", "c2", "d"]
