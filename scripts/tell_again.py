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

from local.lambda_.streams import StreamRecord, to_lambda_record

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

PublishRecords = Callable[[Sequence[StreamRecord]], bool]
"""Whether the function has told of the records."""
_BATCH_SIZE = 5
"""Records with the largest payloads there may be fit an invocation."""


def republish_changes(
    sqs: "SQSClient", queue_url: str, streams: Any, publish: PublishRecords
) -> tuple[int, int]:
    """Tell of what each letter names; how many letters are done with, and how many stay."""
    republished = remaining = 0
    while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            records = read_records(streams, json.loads(message["Body"])["DDBStreamBatchInfo"])
            if records is None or not all(map(publish, _split_records(records))):
                remaining += 1
                continue
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            republished += 1
    return republished, remaining


def read_records(streams: Any, batch_info: Mapping[str, Any]) -> list[StreamRecord] | None:
    """The records from the first that is named to the last, or None where the stream no longer has them."""
    try:
        records = _read_record_range(streams, batch_info)
        return [
            to_lambda_record(record, batch_info["streamArn"], lambda created: created) for record in records
        ]
    except ClientError as error:
        if error.response["Error"]["Code"] in ("TrimmedDataAccessException", "ResourceNotFoundException"):
            return None
        raise


def _read_record_range(streams: Any, batch_info: Mapping[str, Any]) -> Iterator[StreamRecord]:
    last_number = int(batch_info["endSequenceNumber"])
    iterator = streams.get_shard_iterator(
        StreamArn=batch_info["streamArn"],
        ShardId=batch_info["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=batch_info["startSequenceNumber"],
    )["ShardIterator"]
    while iterator:
        page = streams.get_records(ShardIterator=iterator)
        for record in page["Records"]:
            yield record
            if int(record["dynamodb"]["SequenceNumber"]) >= last_number:
                return
        iterator = page.get("NextShardIterator")


def _split_records(records: Sequence[StreamRecord]) -> Iterator[Sequence[StreamRecord]]:
    return (records[start : start + _BATCH_SIZE] for start in range(0, len(records), _BATCH_SIZE))


def main() -> int:
    """Tell of all that a queue names through the audit function."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queue-url", required=True, help="the stack's output UnpublishedQueueUrl")
    parser.add_argument("--function-name", required=True, help="the stack's output AuditFunctionName")
    parser.add_argument("--endpoint-url", help="another endpoint than AWS's")
    arguments = parser.parse_args()
    lambda_client: Any = boto3.client("lambda", endpoint_url=arguments.endpoint_url)

    def publish(records: Sequence[StreamRecord]) -> bool:
        payload = json.dumps({"Records": records}).encode()
        response = lambda_client.invoke(FunctionName=arguments.function_name, Payload=payload)
        return bool(json.loads(response["Payload"].read()) == {"batchItemFailures": []})

    sqs = boto3.client("sqs", endpoint_url=arguments.endpoint_url)
    streams = boto3.client("dynamodbstreams", endpoint_url=arguments.endpoint_url)
    republished, remaining = republish_changes(sqs, arguments.queue_url, streams, publish)
    sys.stdout.write(f"{republished} letters told again, {remaining} left\n")
    return 1 if remaining else 0


if __name__ == "__main__":
    raise SystemExit(main())
