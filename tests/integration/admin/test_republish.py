"""Letters of the audit's mapping, told of again by the function on moto."""

import json
from collections.abc import Sequence
from typing import Any

import boto3
import pytest
from botocore.config import Config
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.update import update_schedule

from local.lambda_.streams import StreamRecord
from scripts.tell_again import republish_changes
from tests.support.oracles.audit import Audit
from tests.support.stacks.functions import Context, load_function
from tests.support.stacks.world import World, aws_client, create_input, update_input


class RepublishBench:
    """The queue, and the audit function."""

    def __init__(self) -> None:
        self.sqs = aws_client("sqs")
        self.queue = self.sqs.create_queue(QueueName="unpublished")["QueueUrl"]
        self.published_batches: list[Sequence[StreamRecord]] = []
        self._streams: Any = boto3.client(
            "dynamodbstreams", config=Config(account_id_endpoint_mode="disabled")
        )
        self._handler = load_function("audit").handler

    def create_dead_letter(self, first: StreamRecord, last: StreamRecord, **fields: object) -> None:
        """As Lambda does after six hours."""
        batch_info = {
            "shardId": self._streams.describe_stream(StreamArn=first["eventSourceARN"])["StreamDescription"][
                "Shards"
            ][0]["ShardId"],
            "startSequenceNumber": first["dynamodb"]["SequenceNumber"],
            "endSequenceNumber": last["dynamodb"]["SequenceNumber"],
            "streamArn": first["eventSourceARN"],
        }
        dead_letter = {"version": "1.0", "DDBStreamBatchInfo": {**batch_info, **fields}}
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=json.dumps(dead_letter))

    def republish(self) -> tuple[int, int]:
        return republish_changes(self.sqs, self.queue, self._streams, self._publish_records)

    def _publish_records(self, records: Sequence[StreamRecord]) -> bool:
        self.published_batches.append(records)
        response = self._handler({"Records": json.loads(json.dumps(records))}, Context())
        return bool(response == {"batchItemFailures": []})


@pytest.fixture
def records(world: World, audit: Audit) -> list[StreamRecord]:
    """An install, a schedule, and three updates of it, with what else was written then."""
    schedule = create_schedule(world.services, world.register_install(), create_input())
    for number in range(3):
        update_schedule(world.services, schedule.install_id, schedule.id, update_input(payload=[number]))
    return [dict(record) for record in audit.read_records()]


def list_published_names(world: World) -> list[str]:
    calls = [call for call in world.calls.recorded if call.operation == "PutEvents"]
    return [entry["DetailType"] for call in calls for entry in call.arguments["Entries"]]


def test_dead_letter_range_is_republished_and_deleted(world: World, records: list[StreamRecord]) -> None:
    bench = RepublishBench()
    bench.create_dead_letter(records[0], records[-1])

    assert bench.republish() == (1, 0)

    updates = ["ScheduleUpdated"] * 3
    assert list_published_names(world) == ["InstallRegistered", "ScheduleCreated", *updates]
    assert [record["eventID"] for part in bench.published_batches for record in part] == [
        record["eventID"] for record in records
    ]
    assert max(map(len, bench.published_batches)) == 5
    assert bench.republish() == (0, 0)


def test_only_the_dead_letter_range_is_republished(world: World, records: list[StreamRecord]) -> None:
    bench = RepublishBench()
    (created,) = (
        each
        for each in records
        if each["eventName"] == "INSERT" and each["dynamodb"]["Keys"]["sk"]["S"].startswith("SCHEDULE")
    )
    bench.create_dead_letter(created, created)

    assert bench.republish() == (1, 0)
    assert list_published_names(world) == ["ScheduleCreated"]


def test_unpublishable_dead_letter_is_kept(
    records: list[StreamRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = RepublishBench()
    bench.create_dead_letter(records[0], records[-1])
    monkeypatch.setattr(bench, "_handler", lambda *_: {"batchItemFailures": [{"itemIdentifier": "1"}]})

    assert bench.republish() == (0, 1)


def test_dead_letter_of_expired_stream_records_is_kept(records: list[StreamRecord]) -> None:
    bench = RepublishBench()
    missing_stream = records[0]["eventSourceARN"].replace("scheduling-test", "another")
    bench.create_dead_letter(records[0], records[-1], streamArn=missing_stream)

    assert bench.republish() == (0, 1)
