"""The queue of unpublished changes, and the table's stream that still has them.

A message of the queue names only a range of records in a shard of the stream, not the changes themselves.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from scheduling_admin.stack.queues import MessageQueue, QueueMessage, message_fields, parse_message_body

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

StreamRecord = Mapping[str, Any]
PublishRecords = Callable[[Sequence[StreamRecord]], str | None]
"""Publishes records; returns None, or why they are not published."""

EXPIRED = "The stream no longer has the changes."
NO_RANGE = "The message names no records of a stream."
_RECORDS_PER_INVOCATION = 5
"""As many records with the largest payloads fit the request of an invocation."""
_EXPIRED_CODES = frozenset({"TrimmedDataAccessException", "ResourceNotFoundException"})


@dataclass(frozen=True, kw_only=True)
class StreamRange:
    """Consecutive records of one shard; the times are those of the first and the last change."""

    stream_arn: str
    shard_id: str
    first_sequence_number: str
    last_sequence_number: str
    record_count: int | None
    first_change_at: str | None
    last_change_at: str | None


@dataclass(frozen=True, kw_only=True)
class UnpublishedBatch(QueueMessage):
    """One message; `stream_range` is None if the message names no records."""

    stream_range: StreamRange | None


@dataclass(frozen=True)
class RepublishResult:
    """What happened to a batch; `problem` is why it stays in the queue, or None if it is published."""

    batch: UnpublishedBatch
    problem: str | None


class UnpublishedQueue(MessageQueue[UnpublishedBatch]):
    """The stack's queue of unpublished changes."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        super().__init__(sqs, url, parse_unpublished_batch)

    def republish_batches(self, streams: Any, publish_records: PublishRecords) -> Iterator[RepublishResult]:
        """Publish the changes of each batch again and delete its message; yield the result of each batch.

        A batch whose changes cannot be published stays in the queue.
        """
        for batch in self.iterate_messages():
            problem = _republish_batch(streams, batch, publish_records)
            if problem is None:
                self.delete_message(batch)
            yield RepublishResult(batch, problem)


def parse_unpublished_batch(message: Mapping[str, Any]) -> UnpublishedBatch:
    """Parse a message of the queue."""
    info = parse_message_body(message).get("DDBStreamBatchInfo")
    return UnpublishedBatch(**message_fields(message), stream_range=_parse_stream_range(info))


def _parse_stream_range(info: Any) -> StreamRange | None:
    names = ("streamArn", "shardId", "startSequenceNumber", "endSequenceNumber")
    if not isinstance(info, dict) or not all(isinstance(info.get(name), str) for name in names):
        return None
    stream_arn, shard_id, first_sequence_number, last_sequence_number = (info[name] for name in names)
    if not (first_sequence_number.isdecimal() and last_sequence_number.isdecimal()):
        return None
    return StreamRange(
        stream_arn=stream_arn,
        shard_id=shard_id,
        first_sequence_number=first_sequence_number,
        last_sequence_number=last_sequence_number,
        record_count=info.get("batchSize"),
        first_change_at=info.get("approximateArrivalOfFirstRecord"),
        last_change_at=info.get("approximateArrivalOfLastRecord"),
    )


def _republish_batch(streams: Any, batch: UnpublishedBatch, publish_records: PublishRecords) -> str | None:
    """Return why the batch is not published, or None."""
    if batch.stream_range is None:
        return NO_RANGE
    try:
        records = list(_read_records(streams, batch.stream_range))
    except ClientError as error:
        if error.response["Error"]["Code"] in _EXPIRED_CODES:
            return EXPIRED
        if error.response["Error"]["Code"] == "ValidationException":
            return NO_RANGE
        raise
    for start in range(0, len(records), _RECORDS_PER_INVOCATION):
        if problem := publish_records(records[start : start + _RECORDS_PER_INVOCATION]):
            return problem
    return None


def _read_records(streams: Any, stream_range: StreamRange) -> Iterator[StreamRecord]:
    iterator = streams.get_shard_iterator(
        StreamArn=stream_range.stream_arn,
        ShardId=stream_range.shard_id,
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=stream_range.first_sequence_number,
    )["ShardIterator"]
    while iterator:
        page = streams.get_records(ShardIterator=iterator)
        for record in page["Records"]:
            yield record
            if int(record["dynamodb"]["SequenceNumber"]) >= int(stream_range.last_sequence_number):
                return
        iterator = page.get("NextShardIterator")


def create_publisher(lambda_client: Any, function_name: str) -> PublishRecords:
    """Return a function that publishes records through the stack's audit function."""

    def publish_records(records: Sequence[StreamRecord]) -> str | None:
        # Lambda delivers times of stream records as numbers.
        payload = json.dumps({"Records": records}, default=datetime.timestamp).encode()
        response = lambda_client.invoke(FunctionName=function_name, Payload=payload)
        result = json.loads(response["Payload"].read())
        if result == {"batchItemFailures": []}:
            return None
        error = result.get("errorMessage") if isinstance(result, dict) else None
        return f"The function {function_name} did not publish the changes: {error or 'see its log'}"

    return publish_records
