"""DynamoDB, EventBridge Scheduler, SQS and CloudFormation in memory, in place of requests: fast, atomic and strict."""

import secrets
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import botocore.client

from tests.support.aws.memory_expressions import Item, UnsupportedRequest
from tests.support.aws.memory_queues import MemoryQueues
from tests.support.aws.memory_scheduler import MemoryTimers
from tests.support.aws.memory_stacks import MemoryStacks
from tests.support.aws.memory_table import Index, MemoryTable, ServiceError, require_known_arguments

Arguments = Mapping[str, Any]
_SCHEDULER_CALLS = {
    "CreateScheduleGroup": MemoryTimers.create_schedule_group,
    "ListScheduleGroups": MemoryTimers.list_schedule_groups,
    "CreateSchedule": MemoryTimers.create_schedule,
    "UpdateSchedule": MemoryTimers.update_schedule,
    "GetSchedule": MemoryTimers.get_schedule,
    "DeleteSchedule": MemoryTimers.delete_schedule,
    "ListSchedules": MemoryTimers.list_schedules,
}
_STACK_CALLS = {
    "CreateStack": MemoryStacks.create_stack,
    "DescribeStacks": MemoryStacks.describe_stacks,
}
_TOKENS = {"TransactWriteItems": "ClientRequestToken", "CreateSchedule": "ClientToken"}


@dataclass
class MemoryAws:
    """The state of the services, which tests may also read."""

    tables: dict[str, MemoryTable] = field(default_factory=dict)
    timers: MemoryTimers = field(default_factory=MemoryTimers)
    queues: MemoryQueues = field(default_factory=MemoryQueues)
    stacks: MemoryStacks = field(default_factory=MemoryStacks)
    repeat_next: bool = False
    """Make the next call twice, as an SDK that retries does; a service recognizes the retry by its token, if any."""
    throttled_reads: int = 0
    """How many of the next BatchGetItem leave all keys but the first unprocessed, as under throttling."""

    def send_request(self, service: str, operation: str, arguments: Arguments) -> dict[str, Any]:
        """Return the response to a request as botocore sends it.

        Raises:
            ServiceError: the service refuses the request.
            UnsupportedRequest: the stand-in does not implement the request.
        """
        if self.repeat_next:
            self.repeat_next = False
            token = _TOKENS.get(operation)
            arguments = {**arguments, token: secrets.token_hex(16)} if token else arguments
            with suppress(ServiceError):
                self.handle_call(service, operation, arguments)
        return self.handle_call(service, operation, arguments)

    def handle_call(self, service: str, operation: str, arguments: Arguments) -> dict[str, Any]:
        """Return the response to one call; raises as `send_request` does."""
        if service == "scheduler" and operation in _SCHEDULER_CALLS:
            return _SCHEDULER_CALLS[operation](self.timers, arguments)
        if service == "dynamodb":
            return self._handle_table_call(operation, arguments)
        if service == "cloudformation" and operation in _STACK_CALLS:
            return _STACK_CALLS[operation](self.stacks, arguments)
        if (service, operation) == ("sqs", "SendMessage"):
            return self.queues.send_message(arguments)
        if (service, operation) == ("events", "PutEvents"):
            return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in arguments["Entries"]]}
        raise UnsupportedRequest(f"{service} {operation}")

    def _handle_table_call(self, operation: str, arguments: Arguments) -> dict[str, Any]:
        match operation:
            case "PutItem" | "UpdateItem" | "DeleteItem":
                return self._write_item(operation.removesuffix("Item"), arguments)
            case "TransactWriteItems":
                require_known_arguments(
                    arguments, {"TransactItems", "ClientRequestToken", "ReturnConsumedCapacity"}
                )
                steps = arguments["TransactItems"]
                table = self._table(next(iter(steps[0].values()))["TableName"])
                table.transact_write(steps, arguments.get("ClientRequestToken"))
                return {}
            case "BatchGetItem":
                return self._batch_get(arguments)
            case "BatchWriteItem":
                return self._batch_write(arguments)
            case "Query" | "Scan":
                return self._table(arguments["TableName"]).read_page(arguments, query=operation == "Query")
            case "CreateTable":
                return self._create_table(arguments)
        raise UnsupportedRequest(operation)

    def _table(self, name: str) -> MemoryTable:
        if name not in self.tables:
            raise ServiceError("ResourceNotFoundException", "Requested resource not found")
        return self.tables[name]

    def _write_item(self, verb: str, arguments: Arguments) -> dict[str, Any]:
        table = self._table(arguments["TableName"])
        returned = arguments.get("ReturnValues", "NONE")
        if returned not in ("NONE", "ALL_NEW"):
            raise UnsupportedRequest(f"ReturnValues {returned}")
        key, item = table.evaluate_write(verb, arguments)
        table.store_item(key, item)
        return {"Attributes": item} if returned == "ALL_NEW" else {}

    def _batch_get(self, arguments: Arguments) -> dict[str, Any]:
        require_known_arguments(arguments, {"RequestItems", "ReturnConsumedCapacity"})
        processed = dict(arguments["RequestItems"])
        unprocessed = {}
        if self.throttled_reads:
            self.throttled_reads -= 1
            for name, request in arguments["RequestItems"].items():
                processed[name] = {**request, "Keys": request["Keys"][:1]}
                if request["Keys"][1:]:
                    unprocessed[name] = {**request, "Keys": request["Keys"][1:]}
        items = {name: self._table(name).batch_get_items(keys) for name, keys in processed.items()}
        return {"Responses": items, "UnprocessedKeys": unprocessed}

    def _batch_write(self, arguments: Arguments) -> dict[str, Any]:
        require_known_arguments(arguments, {"RequestItems", "ReturnConsumedCapacity"})
        for name, requests in arguments["RequestItems"].items():
            table = self._table(name)
            keys = [table.item_key(request["DeleteRequest"]["Key"]) for request in requests]
            if len(set(keys)) < len(keys) or not 1 <= len(keys) <= 25:
                raise ServiceError("ValidationException", "Duplicates, or more than 25 writes, or none")
            for key in keys:
                table.store_item(key, None)
        return {"UnprocessedItems": {}}

    def _create_table(self, arguments: Arguments) -> dict[str, Any]:
        indexes = {
            index["IndexName"]: Index(
                _key_names(index["KeySchema"]),
                frozenset(index["Projection"]["NonKeyAttributes"]),
            )
            for index in arguments["GlobalSecondaryIndexes"]
            if index["Projection"]["ProjectionType"] == "INCLUDE"
        }
        self.tables[arguments["TableName"]] = MemoryTable(_key_names(arguments["KeySchema"]), indexes)
        return {}

    def items_of_type(self, table: str, kind: str) -> list[Item]:
        """Return the stored items of that type."""
        return [item for item in self._table(table).items.values() if item["type"]["S"] == kind]


def _key_names(schema: list[dict[str, str]]) -> tuple[str, ...]:
    return tuple(each["AttributeName"] for each in schema)


@contextmanager
def use_memory_aws(only: Container[str] | None = None) -> Iterator[MemoryAws]:
    """Answer the calls of all botocore clients, or `only` those of some services, from one memory."""
    aws = MemoryAws()
    base_client: Any = botocore.client.BaseClient
    original = base_client._make_api_call

    def make_api_call(client: Any, operation: str, arguments: Arguments) -> Any:
        service = client.meta.service_model.service_name
        if only is not None and service not in only:
            return original(client, operation, arguments)
        try:
            response = aws.send_request(service, operation, arguments)
        except ServiceError as refusal:
            body = {
                "Error": {"Code": refusal.code, "Message": str(refusal)},
                "ResponseMetadata": {"HTTPStatusCode": refusal.status, "RequestId": "memory"},
                **refusal.more,
            }
            raise client.exceptions.from_code(refusal.code)(body, operation) from None
        return {**response, "ResponseMetadata": {"HTTPStatusCode": 200, "RequestId": "memory"}}

    base_client._make_api_call = make_api_call
    try:
        yield aws
    finally:
        base_client._make_api_call = original
