"""Reads a table's DynamoDB stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

StreamRecord = dict[str, Any]
_PAGE_SIZE = 1000


@dataclass(frozen=True)
class Batch:
    """Records of one shard, in order, in Lambda's format."""

    shard: str
    records: list[StreamRecord]


@dataclass
class TableStream:
    """A reader of a stream that returns each record once."""

    client: Any
    arn: str
    _last_sequence_numbers: dict[str, str] = field(default_factory=dict)
    """The sequence number of the last record read, by shard."""

    def skip_existing_records(self) -> None:
        """Skip the records that the stream has now."""
        for _ in self._read_new_batches():
            pass

    def read_batches(self, convert_time: Callable[[datetime], datetime]) -> Iterator[Batch]:
        """Yield the new records, with their creation times converted by `convert_time`."""
        for batch in self._read_new_batches():
            yield Batch(
                batch.shard, [to_lambda_record(record, self.arn, convert_time) for record in batch.records]
            )

    def _read_new_batches(self) -> Iterator[Batch]:
        shards = self.client.describe_stream(StreamArn=self.arn)["StreamDescription"]["Shards"]
        for shard in (description["ShardId"] for description in shards):
            records = self._read_records(shard)
            while records:
                self._last_sequence_numbers[shard] = records[-1]["dynamodb"]["SequenceNumber"]
                yield Batch(shard, records)
                # A page that is not full was the last; records written meanwhile are read by the next poll.
                records = self._read_records(shard) if len(records) == _PAGE_SIZE else []

    def _read_records(self, shard: str) -> list[StreamRecord]:
        """Read a page with a new iterator: after a failed transaction, moto's old ones return discarded records."""
        position = {"ShardIteratorType": "TRIM_HORIZON"}
        if shard in self._last_sequence_numbers:
            position = {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "SequenceNumber": self._last_sequence_numbers[shard],
            }
        iterator = self.client.get_shard_iterator(StreamArn=self.arn, ShardId=shard, **position)
        return list(
            self.client.get_records(ShardIterator=iterator["ShardIterator"], Limit=_PAGE_SIZE)["Records"]
        )


def to_lambda_record(
    record: StreamRecord, arn: str, convert_time: Callable[[datetime], datetime]
) -> StreamRecord:
    """Convert a stream record to Lambda's format, with its time as a number and the ARN of its source."""
    change = record["dynamodb"]
    created_at = convert_time(change["ApproximateCreationDateTime"])
    return {
        **record,
        "dynamodb": {**change, "ApproximateCreationDateTime": created_at.timestamp()},
        "eventSourceARN": arn,
    }
