"""What is written to a table, read from its stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

Record = dict[str, Any]
_PAGE = 1000


@dataclass(frozen=True)
class Batch:
    """Records of one shard, in order, as Lambda hands them over."""

    shard: str
    records: list[Record]


@dataclass
class TableStream:
    """Reads a stream, each record once."""

    client: Any
    arn: str
    _read: dict[str, str] = field(default_factory=dict)
    """The sequence number of the last record read of each shard."""

    def skip(self) -> None:
        """Leave out what there is."""
        for _ in self._batches():
            pass

    def read(self, stamp: Callable[[datetime], datetime]) -> Iterator[Batch]:
        """What is new, at the times that `stamp` makes of the stream's."""
        for batch in self._batches():
            yield Batch(batch.shard, [lambda_record(record, self.arn, stamp) for record in batch.records])

    def _batches(self) -> Iterator[Batch]:
        shards = self.client.describe_stream(StreamArn=self.arn)["StreamDescription"]["Shards"]
        for shard in (each["ShardId"] for each in shards):
            records = self._records(shard)
            while records:
                self._read[shard] = records[-1]["dynamodb"]["SequenceNumber"]
                yield Batch(shard, records)
                # Fewer is all there was; what has come meanwhile is the next look's.
                records = self._records(shard) if len(records) == _PAGE else []

    def _records(self, shard: str) -> list[Record]:
        """By a new iterator each time: after a transaction that failed, moto's old ones read what is no more."""
        place = {"ShardIteratorType": "TRIM_HORIZON"}
        if shard in self._read:
            place = {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "SequenceNumber": self._read[shard],
            }
        iterator = self.client.get_shard_iterator(StreamArn=self.arn, ShardId=shard, **place)
        return list(self.client.get_records(ShardIterator=iterator["ShardIterator"], Limit=_PAGE)["Records"])


def lambda_record(record: Record, arn: str, stamp: Callable[[datetime], datetime]) -> Record:
    """A record of the stream as Lambda hands it over: times are numbers, and it says where it is from."""
    change = record["dynamodb"]
    moment = stamp(change["ApproximateCreationDateTime"])
    return {
        **record,
        "dynamodb": {**change, "ApproximateCreationDateTime": moment.timestamp()},
        "eventSourceARN": arn,
    }
