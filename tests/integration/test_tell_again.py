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
from tests.support.audit import Audit
from tests.support.functions import Context, load
from tests.support.world import World, aws_client, changed, wanted


class Bench:
    """The queue, and the audit function."""

    def __init__(self) -> None:
        self.sqs = aws_client("sqs")
        self.queue = self.sqs.create_queue(QueueName="unpublished")["QueueUrl"]
        self.told: list[Sequence[StreamRecord]] = []
        self._streams: Any = boto3.client(
            "dynamodbstreams", config=Config(account_id_endpoint_mode="disabled")
        )
        self._handler = load("audit").handler

    def lose(self, first: StreamRecord, last: StreamRecord, **fields: object) -> None:
        """As Lambda does after six hours."""
        where = {
            "shardId": self._streams.describe_stream(StreamArn=first["eventSourceARN"])["StreamDescription"][
                "Shards"
            ][0]["ShardId"],
            "startSequenceNumber": first["dynamodb"]["SequenceNumber"],
            "endSequenceNumber": last["dynamodb"]["SequenceNumber"],
            "streamArn": first["eventSourceARN"],
        }
        letter = {"version": "1.0", "DDBStreamBatchInfo": {**where, **fields}}
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=json.dumps(letter))

    def again(self) -> tuple[int, int]:
        return republish_changes(self.sqs, self.queue, self._streams, self._tell)

    def _tell(self, records: Sequence[StreamRecord]) -> bool:
        self.told.append(records)
        answer = self._handler({"Records": json.loads(json.dumps(records))}, Context())
        return bool(answer == {"batchItemFailures": []})


@pytest.fixture
def records(world: World, audit: Audit) -> list[StreamRecord]:
    """An install, a schedule, and three updates of it, with what else was written then."""
    schedule = create_schedule(world.services, world.register(), wanted())
    for number in range(3):
        update_schedule(world.services, schedule.install_id, schedule.id, changed(payload=[number]))
    return [dict(record) for record in audit.records()]


def put(world: World) -> list[str]:
    calls = [call for call in world.calls.made if call.operation == "PutEvents"]
    return [entry["DetailType"] for call in calls for entry in call.arguments["Entries"]]


def test_what_a_letter_names_is_told_and_the_letter_is_gone(
    world: World, records: list[StreamRecord]
) -> None:
    bench = Bench()
    bench.lose(records[0], records[-1])

    assert bench.again() == (1, 0)

    updates = ["ScheduleUpdated"] * 3
    assert put(world) == ["InstallRegistered", "ScheduleCreated", *updates]
    assert [record["eventID"] for part in bench.told for record in part] == [
        record["eventID"] for record in records
    ]
    assert max(map(len, bench.told)) == 5
    assert bench.again() == (0, 0)


def test_only_what_it_names(world: World, records: list[StreamRecord]) -> None:
    bench = Bench()
    (created,) = (
        each
        for each in records
        if each["eventName"] == "INSERT" and each["dynamodb"]["Keys"]["sk"]["S"].startswith("SCHEDULE")
    )
    bench.lose(created, created)

    assert bench.again() == (1, 0)
    assert put(world) == ["ScheduleCreated"]


def test_what_cannot_be_told_yet_stays(records: list[StreamRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.lose(records[0], records[-1])
    monkeypatch.setattr(bench, "_handler", lambda *_: {"batchItemFailures": [{"itemIdentifier": "1"}]})

    assert bench.again() == (0, 1)


def test_what_the_stream_no_longer_has_stays_to_be_known(records: list[StreamRecord]) -> None:
    bench = Bench()
    gone = records[0]["eventSourceARN"].replace("scheduling-test", "another")
    bench.lose(records[0], records[-1], streamArn=gone)

    assert bench.again() == (0, 1)
