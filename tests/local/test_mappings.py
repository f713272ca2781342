"""Event source mappings, on a stream in memory and a function that fails as told."""

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
from tests.local.support import PROJECT, functions

if TYPE_CHECKING:
    from local.cloudformation.clients import AwsClients

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
Invocations = list[list[str]]


def record(number: str) -> dict[str, Any]:
    return {"eventName": "INSERT", "dynamodb": {"SequenceNumber": number}}


@dataclass
class MemoryStream:
    """One shard; keeps what it was told of times."""

    waiting: list[dict[str, Any]]
    arn: str = "stream-arn"
    stamps: list[datetime] = field(default_factory=list)
    created: datetime = NINE

    def read_batches(self, stamp: Callable[[datetime], datetime]) -> Iterator[Batch]:
        self.stamps.append(stamp(self.created))
        records, self.waiting = self.waiting, []
        if records:
            yield Batch("shard-1", records)


class Bench:
    """A mapping, and the sequence numbers that its function was invoked with."""

    def __init__(self, aws: AwsClients, answer: Callable[[list[str]], list[str]], *, most: int = 10) -> None:
        self.aws = aws
        self.queue = aws.sqs.create_queue(QueueName=f"letters-{uuid4()}")["QueueUrl"]
        self.stream = MemoryStream([])
        self.clock = LocalClock(NINE, frozen=True)
        self.invocations: Invocations = []
        self._answer = answer
        mapping = EventSourceMapping(
            cast(TableStream, self.stream), "audit", [{"eventName": ["INSERT"]}], most, self.queue
        )
        self._mappings = EventSourcePoller(aws, functions(audit=self._audit), [mapping], self.clock)

    def poll(self, *records: dict[str, Any]) -> Invocations:
        self.stream.waiting += records
        self._mappings.poll_streams()
        return self.invocations

    def letters(self) -> list[dict[str, Any]]:
        found = self.aws.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]

    def _audit(self, event: Any, _context: Any) -> Any:
        numbers = [each["dynamodb"]["SequenceNumber"] for each in event["Records"]]
        self.invocations.append(numbers)
        return {"batchItemFailures": [{"itemIdentifier": each} for each in self._answer(numbers)]}


def content(_numbers: list[str]) -> list[str]:
    return []


def test_what_matches_a_pattern_is_handed_over_in_batches(aws: AwsClients) -> None:
    bench = Bench(aws, content, most=2)
    other = {**record("3"), "eventName": "REMOVE"}
    assert bench.poll(record("1"), record("2"), other, record("4")) == [["1", "2"], ["4"]]


def test_nothing_to_hand_over_invokes_nothing(aws: AwsClients) -> None:
    bench = Bench(aws, content)
    assert bench.poll() == []
    assert bench.poll({**record("1"), "eventName": "REMOVE"}) == []


def test_from_the_first_that_failed_on_all_are_handed_over_again(aws: AwsClients) -> None:
    failures = iter([["3", "2"], ["3"], []])
    bench = Bench(aws, lambda _numbers: next(failures))
    assert bench.poll(*map(record, "123")) == [["1", "2", "3"], ["2", "3"], ["3"]]
    assert bench.letters() == []


def poisoned(numbers: list[str]) -> list[str]:
    if "2" in numbers:
        raise ValueError("not understood")
    return []


def test_a_record_that_always_fails_is_given_up_alone(aws: AwsClients) -> None:
    bench = Bench(aws, poisoned)
    invocations = bench.poll(*map(record, "1234"))
    assert invocations == [
        *[["1", "2", "3", "4"]] * MAX_ATTEMPTS,
        *[["1", "2"]] * MAX_ATTEMPTS,
        ["1"],
        *[["2"]] * MAX_ATTEMPTS,
        ["3", "4"],
    ]
    (letter,) = bench.letters()
    assert "requestPayload" not in letter
    assert letter["requestContext"]["condition"] == "RetryAttemptsExhausted"
    where = letter["DDBStreamBatchInfo"]
    assert (where["shardId"], where["streamArn"], where["batchSize"]) == ("shard-1", "stream-arn", 1)
    assert (where["startSequenceNumber"], where["endSequenceNumber"]) == ("2", "2")


@pytest.mark.parametrize(
    ("frozen", "expected"),
    [pytest.param(True, timedelta(), id="stands"), pytest.param(False, timedelta(hours=-1), id="runs")],
)
def test_a_change_is_stamped_by_the_stack_s_clock(aws: AwsClients, frozen: bool, expected: timedelta) -> None:
    bench = Bench(aws, content)
    bench.clock.stays_frozen = frozen
    bench.clock.resume()
    bench.stream.created = datetime.now(UTC) - timedelta(hours=1)
    bench.poll(record("1"))
    (stamp,) = bench.stream.stamps
    assert abs(stamp - NINE - expected) < timedelta(seconds=5)


def test_the_template_s_mapping_reads_the_template_s_table(
    aws: AwsClients, monkeypatch: pytest.MonkeyPatch
) -> None:
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
