"""Each replacement of moto's private parts is still needed: a test fails when moto itself no longer needs it."""

from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from threading import Barrier, Thread
from typing import Any

import boto3
import pytest
from moto import backends, mock_aws
from moto.core import responses
from moto.core.serialize import SERVICE_SPECIFIC_SERIALIZERS, JSONSerializer
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.table import StreamShard, Table
from moto.dynamodbstreams.models import dynamodbstreams_backends
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server
from werkzeug.test import Client

from local.moto import conditions, queries, streams, transactions

ACCOUNT, REGION, TABLE = "123456789012", "us-east-1", "table"


class CallCounter:
    """Counts the calls of a method and passes them on."""

    def __init__(self, patch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        self.count = 0
        original: Callable[..., Any] = getattr(owner, name)

        def count_call(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            return original(*args, **kwargs)

        patch.setattr(owner, name, count_call)


@pytest.fixture
def patch(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A monkey patch under which moto has its own parts, whatever this process has replaced."""
    monkeypatch.setattr(ConditionExpressionParser, "_lex_condition_expression", conditions._original_lex)
    monkeypatch.setattr(Table, "query", queries._original_query)
    monkeypatch.setattr(StreamShard, "add", streams._original_add)
    monkeypatch.setattr(DynamoDBBackend, "transact_write_items", transactions._original_transact_write_items)
    for service in ("dynamodb", "dynamodbstreams"):
        monkeypatch.delitem(SERVICE_SPECIFIC_SERIALIZERS, service, raising=False)
    return monkeypatch


@pytest.fixture
def dynamodb(patch: pytest.MonkeyPatch) -> Iterator[Any]:  # noqa: ARG001 (moto's own parts)
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        yield client


def create_item(number: int, **attributes: Any) -> dict[str, Any]:
    return {"pk": {"S": str(number)}, "sk": {"S": "item"}, **attributes}


def test_conditions_are_tokenized_for_every_request(dynamodb: Any, patch: pytest.MonkeyPatch) -> None:
    tokens = CallCounter(patch, ConditionExpressionParser, "_lex_one_node")
    counts = []
    for number in range(2):
        dynamodb.put_item(
            TableName=TABLE, Item=create_item(number), ConditionExpression="attribute_not_exists(pk)"
        )
        counts.append(tokens.count)
    assert 0 < counts[0] < counts[1]


def test_query_of_one_partition_sorts_the_whole_table(dynamodb: Any, patch: pytest.MonkeyPatch) -> None:
    all_items = CallCounter(patch, Table, "all_items")
    dynamodb.query(
        TableName=TABLE, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "1"}}
    )
    assert all_items.count > 0


def test_every_attribute_value_is_serialized_by_the_model(dynamodb: Any, patch: pytest.MonkeyPatch) -> None:
    counts = []
    values = CallCounter(patch, JSONSerializer, "_serialize")
    for number, size in enumerate((1, 100)):
        item = create_item(number, list={"L": [{"S": "text"}] * size})
        dynamodb.put_item(TableName=TABLE, Item=item)
        values.count = 0
        dynamodb.get_item(TableName=TABLE, Key=create_item(number))
        counts.append(values.count)
    assert counts[1] >= counts[0] + 99


def test_transaction_copies_the_whole_table(dynamodb: Any, patch: pytest.MonkeyPatch) -> None:
    copies: list[Table] = []

    def record_copy(table: Table, _memo: Any) -> Table:
        copies.append(table)
        return table

    patch.setattr(Table, "__deepcopy__", record_copy, raising=False)
    put: Any = {"Put": {"TableName": TABLE, "Item": create_item(1)}}
    dynamodb.transact_write_items(TransactItems=[put])
    assert len(copies) == 1


def test_stream_retains_every_record(dynamodb: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(streams, "RETAINED_RECORDS", 3)
    for number in range(20):
        dynamodb.put_item(TableName=TABLE, Item=create_item(number))
    shard = dynamodb_backends[ACCOUNT][REGION].tables[TABLE].stream_shard
    assert shard
    assert len(shard.items) == 20


def test_iterator_returns_the_records_of_a_cancelled_transaction(dynamodb: Any) -> None:
    backend = dynamodbstreams_backends[ACCOUNT][REGION]
    stream_arn = dynamodb.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
    shard = dynamodb_backends[ACCOUNT][REGION].tables[TABLE].stream_shard
    assert shard
    iterator = backend.get_shard_iterator(stream_arn, shard.id, "TRIM_HORIZON")
    failing_check = {
        "TableName": TABLE,
        "Key": create_item(2),
        "ConditionExpression": "attribute_exists(pk)",
    }
    operations: Any = [
        {"Put": {"TableName": TABLE, "Item": create_item(1)}},
        {"ConditionCheck": failing_check},
    ]
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(TransactItems=operations)
    assert len(backend.get_records(iterator.arn, 10)["Records"]) == 1


def test_stream_retains_every_iterator(dynamodb: Any) -> None:
    backend = dynamodbstreams_backends[ACCOUNT][REGION]
    stream_arn = dynamodb.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
    shard = dynamodb_backends[ACCOUNT][REGION].tables[TABLE].stream_shard
    assert shard
    iterator = backend.get_shard_iterator(stream_arn, shard.id, "TRIM_HORIZON").arn
    for _ in range(9):
        iterator = backend.get_records(iterator, 10)["NextShardIterator"]
    assert len(backend.shard_iterators) == 10


def test_requests_lead_to_listing_the_folders_and_methods_of_services(patch: pytest.MonkeyPatch) -> None:
    folders = CallCounter(patch, backends, "list_of_moto_modules")
    methods = CallCounter(patch, responses, "method_names_from_class")
    client = Client(DomainDispatcherApplication(create_backend_app))
    for number in range(1, 3):
        client.post("/", headers=dynamodb_headers("ListTables"), data="{}")
        assert (folders.count, methods.count) >= (number, number)


def test_connection_is_closed_after_each_request() -> None:
    def respond(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    server = make_server("127.0.0.1", 0, respond, threaded=True, request_handler=MotoRequestHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        assert (response.read(), response.headers["Connection"]) == (b"ok", "close")
    finally:
        connection.close()
        server.shutdown()
        server.server_close()


def test_requests_of_dynamodb_run_concurrently(patch: pytest.MonkeyPatch) -> None:
    """The barrier breaks if moto has a lock: only one request at a time reaches it then."""
    barrier = Barrier(2, timeout=20)

    def wait_for_the_other(*_args: Any, **_kwargs: Any) -> tuple[list[str], None]:
        barrier.wait()
        return [], None

    patch.setattr(DynamoDBBackend, "list_tables", wait_for_the_other)
    app = DomainDispatcherApplication(create_backend_app)
    statuses: list[int] = []

    def send_request() -> None:
        response = Client(app).post("/", headers=dynamodb_headers("ListTables"), data="{}")
        statuses.append(response.status_code)

    threads = [Thread(target=send_request) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200, 200]


def dynamodb_headers(operation: str) -> dict[str, str]:
    credential = f"Credential=test/20261123/{REGION}/dynamodb/aws4_request"
    return {
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=none",
    }
