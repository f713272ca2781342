"""DynamoDB and EventBridge Scheduler in memory, where botocore would send a request: quick, atomic, and strict."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import botocore.client

from tests.support.memory_expressions import Item, NotUnderstood
from tests.support.memory_table import Index, MemoryTable, Refusal, understood
from tests.support.memory_timers import MemoryTimers

Arguments = Mapping[str, Any]
_TIMER_CALLS = {
    "CreateScheduleGroup": MemoryTimers.create_schedule_group,
    "ListScheduleGroups": MemoryTimers.list_schedule_groups,
    "CreateSchedule": MemoryTimers.create_schedule,
    "UpdateSchedule": MemoryTimers.update_schedule,
    "GetSchedule": MemoryTimers.get_schedule,
    "DeleteSchedule": MemoryTimers.delete_schedule,
    "ListSchedules": MemoryTimers.list_schedules,
}
_TOKENS = {"TransactWriteItems": "ClientRequestToken", "CreateSchedule": "ClientToken"}


@dataclass
class MemoryAws:
    """What stands in both, for a test to look at as well."""

    tables: dict[str, MemoryTable] = field(default_factory=dict)
    timers: MemoryTimers = field(default_factory=MemoryTimers)
    repeat_next: bool = False
    """The next call is made twice, as by an SDK that retries; each service knows such a retry by its token, if any."""

    def send(self, service: str, operation: str, given: Arguments) -> dict[str, Any]:
        """The answer to a request as botocore sends it. Raises Refusal, and NotUnderstood."""
        if self.repeat_next:
            self.repeat_next = False
            token = _TOKENS.get(operation)
            given = {**given, token: secrets.token_hex(16)} if token else given
            with suppress(Refusal):
                self.call(service, operation, given)
        return self.call(service, operation, given)

    def call(self, service: str, operation: str, given: Arguments) -> dict[str, Any]:
        """The answer. Raises Refusal, and NotUnderstood."""
        if service == "scheduler" and operation in _TIMER_CALLS:
            return _TIMER_CALLS[operation](self.timers, given)
        if service == "dynamodb":
            return self._table_call(operation, given)
        if (service, operation) == ("events", "PutEvents"):
            return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in given["Entries"]]}
        raise NotUnderstood(f"{service} {operation}")

    def _table_call(self, operation: str, given: Arguments) -> dict[str, Any]:
        match operation:
            case "PutItem" | "UpdateItem" | "DeleteItem":
                return self._write(operation.removesuffix("Item"), given)
            case "TransactWriteItems":
                understood(given, {"TransactItems", "ClientRequestToken", "ReturnConsumedCapacity"})
                steps = given["TransactItems"]
                table = self._table(next(iter(steps[0].values()))["TableName"])
                table.transact(steps, given.get("ClientRequestToken"))
                return {}
            case "BatchGetItem":
                understood(given, {"RequestItems", "ReturnConsumedCapacity"})
                wanted = given["RequestItems"].items()
                found = {name: self._table(name).batch_get(keys) for name, keys in wanted}
                return {"Responses": found, "UnprocessedKeys": {}}
            case "BatchWriteItem":
                return self._batch_write(given)
            case "Query" | "Scan":
                return self._table(given["TableName"]).read(given, query=operation == "Query")
            case "CreateTable":
                return self._create_table(given)
        raise NotUnderstood(operation)

    def _table(self, name: str) -> MemoryTable:
        if name not in self.tables:
            raise Refusal("ResourceNotFoundException", "Requested resource not found")
        return self.tables[name]

    def _write(self, verb: str, given: Arguments) -> dict[str, Any]:
        table = self._table(given["TableName"])
        returned = given.get("ReturnValues", "NONE")
        if returned not in ("NONE", "ALL_NEW"):
            raise NotUnderstood(f"ReturnValues {returned}")
        key, item = table.change(verb, given)
        table.store(key, item)
        return {"Attributes": item} if returned == "ALL_NEW" else {}

    def _batch_write(self, given: Arguments) -> dict[str, Any]:
        understood(given, {"RequestItems", "ReturnConsumedCapacity"})
        for name, requests in given["RequestItems"].items():
            table = self._table(name)
            keys = [table.key_of(request["DeleteRequest"]["Key"]) for request in requests]
            if len(set(keys)) < len(keys) or not 1 <= len(keys) <= 25:
                raise Refusal("ValidationException", "Duplicates, or more than 25 writes, or none")
            for key in keys:
                table.store(key, None)
        return {"UnprocessedItems": {}}

    def _create_table(self, given: Arguments) -> dict[str, Any]:
        indexes = {
            index["IndexName"]: Index(
                _key_names(index["KeySchema"]),
                frozenset(index["Projection"]["NonKeyAttributes"]),
            )
            for index in given["GlobalSecondaryIndexes"]
            if index["Projection"]["ProjectionType"] == "INCLUDE"
        }
        self.tables[given["TableName"]] = MemoryTable(_key_names(given["KeySchema"]), indexes)
        return {}

    def items(self, table: str, kind: str) -> list[Item]:
        """The items of that type as they stand."""
        return [item for item in self._table(table).items.values() if item["type"]["S"] == kind]


def _key_names(schema: list[dict[str, str]]) -> tuple[str, ...]:
    return tuple(each["AttributeName"] for each in schema)


@contextmanager
def memory_aws() -> Iterator[MemoryAws]:
    """Within, no botocore client reaches a network: all of them speak to one and the same memory."""
    aws = MemoryAws()
    base_client: Any = botocore.client.BaseClient
    original = base_client._make_api_call

    def make_api_call(client: Any, operation: str, given: Arguments) -> Any:
        try:
            answer = aws.send(client.meta.service_model.service_name, operation, given)
        except Refusal as refusal:
            body = {
                "Error": {"Code": refusal.code, "Message": str(refusal)},
                "ResponseMetadata": {"HTTPStatusCode": refusal.status, "RequestId": "memory"},
                **refusal.more,
            }
            raise client.exceptions.from_code(refusal.code)(body, operation) from None
        return {**answer, "ResponseMetadata": {"HTTPStatusCode": 200, "RequestId": "memory"}}

    base_client._make_api_call = make_api_call
    try:
        yield aws
    finally:
        base_client._make_api_call = original
