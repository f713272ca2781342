from typing import Any

import pytest
from moto.dynamodb.models.table import Table

from local.moto import queries as moto_queries
from tests.support.stacks.world import TABLE, aws_client, new_world

PARTITION_A = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "a"}}}
EMPTY_PARTITION = {**PARTITION_A, "ExpressionAttributeValues": {":pk": {"S": "nothing"}}}
INDEX_PARTITION = {
    "IndexName": "pending",
    "KeyConditionExpression": "pendingShard = :shard",
    "ExpressionAttributeValues": {":shard": {"S": "1"}},
}


def item(number: int) -> dict[str, Any]:
    """Return an item of one of three partitions; partitions and sort keys are out of order; every other is indexed."""
    key = {"pk": {"S": "cab"[number % 3]}, "sk": {"S": f"{number * 7 % 20:02}"}, "type": {"S": "idempotency"}}
    pending = {"pendingShard": {"S": "1"}, "pendingSince": {"S": f"{number * 3 % 5}"}}
    return key | (pending if number % 2 else {})


def list_pages(**query: Any) -> list[Any]:
    paginator = aws_client("dynamodb").get_paginator("query").paginate(TableName=TABLE, **query)
    return [
        (page["Items"], page["Count"], page["ScannedCount"], page.get("LastEvaluatedKey"))
        for page in paginator
    ]


@pytest.mark.parametrize("paging", [{}, {"Limit": 3}, {"Limit": 2, "ScanIndexForward": False}])
@pytest.mark.parametrize(
    "query", [PARTITION_A, EMPTY_PARTITION, INDEX_PARTITION], ids=["partition", "empty partition", "index"]
)
def test_query_results_equal_those_of_moto(
    monkeypatch: pytest.MonkeyPatch, query: dict[str, Any], paging: dict[str, Any]
) -> None:
    with new_world(aws="moto"):
        for number in range(20):
            aws_client("dynamodb").put_item(TableName=TABLE, Item=item(number))
        monkeypatch.setattr(Table, "query", moto_queries.query_partition)
        pages = list_pages(**query, **paging)
        monkeypatch.setattr(Table, "query", moto_queries._original_query)
        assert pages == list_pages(**query, **paging)
