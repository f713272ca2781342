"""Tell of changes that the audit has given up, while the table's stream still has them; see docs/operations.md.

A letter in its queue names a part of a shard, and says nothing of what was changed.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from local.lambda_.streams import Record, lambda_record

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Tell = Callable[[Sequence[Record]], bool]
"""Whether the function has told of the records."""
_AT_ONCE = 5
"""Records with the largest payloads there may be fit an invocation."""


def tell_again(sqs: "SQSClient", queue_url: str, streams: Any, tell: Tell) -> tuple[int, int]:
    """Tell of what each letter names; how many letters are done with, and how many stay."""
    done = kept = 0
    while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            records = records_of(streams, json.loads(message["Body"])["DDBStreamBatchInfo"])
            if records is None or not all(map(tell, _parts(records))):
                kept += 1
                continue
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            done += 1
    return done, kept


def records_of(streams: Any, where: Mapping[str, Any]) -> list[Record] | None:
    """The records from the first that is named to the last, or None where the stream no longer has them."""
    try:
        found = _from_first_to_last(streams, where)
        return [lambda_record(record, where["streamArn"], lambda created: created) for record in found]
    except ClientError as error:
        if error.response["Error"]["Code"] in ("TrimmedDataAccessException", "ResourceNotFoundException"):
            return None
        raise


def _from_first_to_last(streams: Any, where: Mapping[str, Any]) -> Iterator[Record]:
    last = int(where["endSequenceNumber"])
    iterator = streams.get_shard_iterator(
        StreamArn=where["streamArn"],
        ShardId=where["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=where["startSequenceNumber"],
    )["ShardIterator"]
    while iterator:
        page = streams.get_records(ShardIterator=iterator)
        for record in page["Records"]:
            yield record
            if int(record["dynamodb"]["SequenceNumber"]) >= last:
                return
        iterator = page.get("NextShardIterator")


def _parts(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    return (records[start : start + _AT_ONCE] for start in range(0, len(records), _AT_ONCE))


def main() -> int:
    """Tell of all that a queue names through the audit function."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queue-url", required=True, help="the stack's output UnpublishedQueueUrl")
    parser.add_argument("--function-name", required=True, help="the stack's output AuditFunctionName")
    parser.add_argument("--endpoint-url", help="another endpoint than AWS's")
    given = parser.parse_args()
    functions: Any = boto3.client("lambda", endpoint_url=given.endpoint_url)

    def tell(records: Sequence[Record]) -> bool:
        payload = json.dumps({"Records": records}).encode()
        answer = functions.invoke(FunctionName=given.function_name, Payload=payload)
        return bool(json.loads(answer["Payload"].read()) == {"batchItemFailures": []})

    sqs = boto3.client("sqs", endpoint_url=given.endpoint_url)
    streams = boto3.client("dynamodbstreams", endpoint_url=given.endpoint_url)
    done, kept = tell_again(sqs, given.queue_url, streams, tell)
    sys.stdout.write(f"{done} letters told again, {kept} left\n")
    return 1 if kept else 0


if __name__ == "__main__":
    raise SystemExit(main())
