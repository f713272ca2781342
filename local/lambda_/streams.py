"""What is written to a table, read from its stream."""

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
    """Records of one shard, in order, as Lambda hands them over."""

    shard: str
    records: list[StreamRecord]


@dataclass
class TableStream:
    """Reads a stream, each record once."""

    client: Any
    arn: str
    _last_sequence_numbers: dict[str, str] = field(default_factory=dict)
    """The sequence number of the last record read of each shard."""

    def skip_existing_records(self) -> None:
        """Leave out what there is."""
        for _ in self._read_new_batches():
            pass

    def read_batches(self, convert_time: Callable[[datetime], datetime]) -> Iterator[Batch]:
        """What is new, at the times that `stamp` makes of the stream's."""
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
                # Fewer is all there was; what has come meanwhile is the next look's.
                records = self._read_records(shard) if len(records) == _PAGE_SIZE else []

    def _read_records(self, shard: str) -> list[StreamRecord]:
        """By a new iterator each time: after a transaction that failed, moto's old ones read what is no more."""
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
    """A record of the stream as Lambda hands it over: times are numbers, and it says where it is from."""
    change = record["dynamodb"]
    created_at = convert_time(change["ApproximateCreationDateTime"])
    return {
        **record,
        "dynamodb": {**change, "ApproximateCreationDateTime": created_at.timestamp()},
        "eventSourceARN": arn,
    }
