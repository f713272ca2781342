"""Event source mappings, with a stream in memory and a function with configured failures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import pytest

from local.clock import LocalClock
from local.cloudformation import deploy as deployment
from local.cloudformation.deploy import deploy_resources, pseudo_parameters
from local.cloudformation.template import expand_template
from local.lambda_.event_sources import (
    MAX_ATTEMPTS,
    EventSourceMapping,
    EventSourcePoller,
    read_event_source_mappings,
)
from local.lambda_.streams import Batch, TableStream
from tests.local.support import PROJECT, create_functions

if TYPE_CHECKING:
    from local.cloudformation.clients import AwsClients

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
Invocations = list[list[str]]


def record(number: str) -> dict[str, Any]:
    return {"eventName": "INSERT", "dynamodb": {"SequenceNumber": number}}


@dataclass
class MemoryStream:
    """A stream of one shard that records the converted times."""

    waiting: list[dict[str, Any]]
    arn: str = "stream-arn"
    converted_times: list[datetime] = field(default_factory=list)
    created: datetime = START

    def read_batches(self, convert_time: Callable[[datetime], datetime]) -> Iterator[Batch]:
        self.converted_times.append(convert_time(self.created))
        records, self.waiting = self.waiting, []
        if records:
            yield Batch("shard-1", records)


class MappingBench:
    """A mapping, and the sequence numbers of each invocation of its function."""

    def __init__(
        self, aws: AwsClients, find_failures: Callable[[list[str]], list[str]], *, batch_size: int = 10
    ) -> None:
        self.aws = aws
        self.queue = aws.sqs.create_queue(QueueName=f"dead-letters-{uuid4()}")["QueueUrl"]
        self.stream = MemoryStream([])
        self.clock = LocalClock(START, frozen=True)
        self.invocations: Invocations = []
        self._find_failures = find_failures
        mapping = EventSourceMapping(
            cast(TableStream, self.stream), "audit", [{"eventName": ["INSERT"]}], batch_size, self.queue
        )
        self._poller = EventSourcePoller(aws, create_functions(audit=self._audit), [mapping], self.clock)

    def poll_records(self, *records: dict[str, Any]) -> Invocations:
        self.stream.waiting += records
        self._poller.poll_streams()
        return self.invocations

    def receive_dead_letters(self) -> list[dict[str, Any]]:
        batch = self.aws.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in batch.get("Messages", [])]

    def _audit(self, event: Any, _context: Any) -> Any:
        numbers = [each["dynamodb"]["SequenceNumber"] for each in event["Records"]]
        self.invocations.append(numbers)
        return {"batchItemFailures": [{"itemIdentifier": each} for each in self._find_failures(numbers)]}


def no_failures(_numbers: list[str]) -> list[str]:
    return []


def test_matching_records_are_delivered_in_batches(aws: AwsClients) -> None:
    bench = MappingBench(aws, no_failures, batch_size=2)
    other = {**record("3"), "eventName": "REMOVE"}
    assert bench.poll_records(record("1"), record("2"), other, record("4")) == [["1", "2"], ["4"]]


def test_no_matching_records_means_no_invocation(aws: AwsClients) -> None:
    bench = MappingBench(aws, no_failures)
    assert bench.poll_records() == []
    assert bench.poll_records({**record("1"), "eventName": "REMOVE"}) == []


def test_records_from_the_first_failure_are_redelivered(aws: AwsClients) -> None:
    remaining_failures = iter([["3", "2"], ["3"], []])
    bench = MappingBench(aws, lambda _numbers: next(remaining_failures))
    assert bench.poll_records(*map(record, "123")) == [["1", "2", "3"], ["2", "3"], ["3"]]
    assert bench.receive_dead_letters() == []


def fail_on_record_2(sequence_numbers: list[str]) -> list[str]:
    if "2" in sequence_numbers:
        raise ValueError("record 2")
    return []


def test_permanently_failing_record_is_dead_lettered_alone(aws: AwsClients) -> None:
    bench = MappingBench(aws, fail_on_record_2)
    invocations = bench.poll_records(*map(record, "1234"))
    assert invocations == [
        *[["1", "2", "3", "4"]] * MAX_ATTEMPTS,
        *[["1", "2"]] * MAX_ATTEMPTS,
        ["1"],
        *[["2"]] * MAX_ATTEMPTS,
        ["3", "4"],
    ]
    (dead_letter,) = bench.receive_dead_letters()
    assert "requestPayload" not in dead_letter
    assert dead_letter["requestContext"]["condition"] == "RetryAttemptsExhausted"
    batch_info = dead_letter["DDBStreamBatchInfo"]
    assert (batch_info["shardId"], batch_info["streamArn"], batch_info["batchSize"]) == (
        "shard-1",
        "stream-arn",
        1,
    )
    assert (batch_info["startSequenceNumber"], batch_info["endSequenceNumber"]) == ("2", "2")


@pytest.mark.parametrize(
    ("frozen", "expected"),
    [pytest.param(True, timedelta(), id="frozen"), pytest.param(False, timedelta(hours=-1), id="running")],
)
def test_record_times_follow_the_stack_clock(aws: AwsClients, frozen: bool, expected: timedelta) -> None:
    bench = MappingBench(aws, no_failures)
    bench.clock.stays_frozen = frozen
    bench.clock.resume()
    bench.stream.created = datetime.now(UTC) - timedelta(hours=1)
    bench.poll_records(record("1"))
    (converted_time,) = bench.stream.converted_times
    assert abs(converted_time - START - expected) < timedelta(seconds=5)


def test_mapping_of_the_template_reads_its_table(aws: AwsClients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "STACK_NAME", f"test-{uuid4()}")
    template = expand_template(
        PROJECT / "template.yaml", {"RunnerBaseUrl": "http://runner"}, pseudo_parameters(aws)
    )
    deploy_resources(template, aws, {"Secret": "the-token"})
    table = template.attributes["Table"]["Ref"]
    (mapping,) = read_event_source_mappings(template, aws)
    aws.dynamodb.put_item(
        TableName=table, Item={"pk": {"S": "INSTALL#1"}, "sk": {"S": "INSTALL"}, "type": {"S": "install"}}
    )
    (batch,) = mapping.stream.read_batches(lambda created: created)
    assert mapping.function_arn == template.attributes["AuditFunction"]["Arn"]
    assert mapping.on_failure_queue_url == template.attributes["UnpublishedQueue"]["Ref"]
    assert [each["dynamodb"]["Keys"]["sk"]["S"] for each in batch.records] == ["INSTALL"]
