"""Lambda's event source mappings: a table's stream records invoke a function."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from local.clock import format_instant
from local.lambda_.functions import FunctionError, read_function_arns
from local.lambda_.patterns import Pattern, matches_pattern, parse_pattern
from local.lambda_.streams import Batch, StreamRecord, TableStream

if TYPE_CHECKING:
    from threading import Event

    from local.clock import LocalClock
    from local.cloudformation.clients import AwsClients
    from local.cloudformation.template import Template
    from local.lambda_.endpoint import LambdaEndpoint
    from local.lambda_.functions import LocalFunctions

logger = logging.getLogger("local")
POLL_INTERVAL_SECONDS = 1.0
MAX_ATTEMPTS = 3
"""Lambda retries for hours instead."""


@dataclass(frozen=True)
class EventSourceMapping:
    """A mapping: the stream's records that match the patterns invoke the function; dead letters go to the queue."""

    stream: TableStream
    function_arn: str
    patterns: list[Pattern]
    batch_size: int
    on_failure_queue_url: str


class EventSourcePoller:
    """Processes the template's event source mappings, in order and at least once."""

    def __init__(
        self,
        aws: AwsClients,
        functions: LocalFunctions | LambdaEndpoint,
        mappings: list[EventSourceMapping],
        clock: LocalClock,
    ) -> None:
        self._aws = aws
        self._functions = functions
        self._mappings = mappings
        self._clock = clock
        self._lock = Lock()
        self.last_error: str | None = None
        """Why the last poll failed; None if it succeeded."""

    def run(self, stop: Event) -> None:
        """Poll the streams until `stop` is set, then a last time."""
        ended = False
        while not ended:
            ended = stop.wait(POLL_INTERVAL_SECONDS)
            self.poll_streams()

    def poll_streams(self) -> None:
        """Deliver all new records."""
        with self._lock:
            try:
                for mapping in self._mappings:
                    for batch in mapping.stream.read_batches(self._to_local_time):
                        self._deliver_batch(mapping, batch)
                self.last_error = None
            except (BotoCoreError, ClientError) as error:
                self.last_error = f"polling the streams failed: {error}"
                logger.error(self.last_error)

    def _to_local_time(self, created: datetime) -> datetime:
        """Convert a creation time to the stack's clock; AWS uses real time."""
        now = self._clock.now()
        return now if self._clock.is_frozen else now - max(timedelta(), datetime.now(UTC) - created)

    def _deliver_batch(self, mapping: EventSourceMapping, batch: Batch) -> None:
        matching = [
            record
            for record in batch.records
            if any(matches_pattern(pattern, record) for pattern in mapping.patterns)
        ]
        for start in range(0, len(matching), mapping.batch_size):
            self._invoke_or_bisect(mapping, Batch(batch.shard, matching[start : start + mapping.batch_size]))

    def _invoke_or_bisect(self, mapping: EventSourceMapping, batch: Batch) -> None:
        """Retry the batch, then bisect it, so that only the failing record is dead-lettered."""
        remaining = batch.records
        for _ in range(MAX_ATTEMPTS):
            remaining = self._process_records(mapping, remaining)
            if not remaining:
                return
        if len(remaining) == 1:
            self._dead_letter_batch(mapping, Batch(batch.shard, remaining))
            return
        half = len(remaining) // 2
        for part in (remaining[:half], remaining[half:]):
            self._invoke_or_bisect(mapping, Batch(batch.shard, part))

    def _process_records(
        self, mapping: EventSourceMapping, records: list[StreamRecord]
    ) -> list[StreamRecord]:
        """Invoke the function and return the records from the first failed one on."""
        try:
            response = self._functions.invoke_function(mapping.function_arn, {"Records": records})
        except FunctionError:
            return records
        failed_numbers = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        first = next(
            (index for index, number in enumerate(numbers) if number in failed_numbers), len(records)
        )
        return records[first:]

    def _dead_letter_batch(self, mapping: EventSourceMapping, batch: Batch) -> None:
        record = _build_invocation_record(mapping, batch, format_instant(self._clock.now()))
        self._aws.sqs.send_message(QueueUrl=mapping.on_failure_queue_url, MessageBody=json.dumps(record))


def read_event_source_mappings(template: Template, aws: AwsClients) -> list[EventSourceMapping]:
    """Return the template's event source mappings of streams; records already in a stream are skipped."""
    arns = read_function_arns(template)
    queues = _read_queue_urls(template)
    mappings = []
    for spec in template.properties_by_type("AWS::Lambda::EventSourceMapping").values():
        if spec["EventSourceArn"].startswith("arn:aws:sqs:"):
            continue  # the queue's consumer reads it
        stream = TableStream(aws.streams, spec["EventSourceArn"])
        stream.skip_existing_records()
        mappings.append(
            EventSourceMapping(
                stream=stream,
                function_arn=arns[spec["FunctionName"]],
                patterns=[
                    parse_pattern(criterion["Pattern"]) for criterion in spec["FilterCriteria"]["Filters"]
                ],
                batch_size=spec["BatchSize"],
                on_failure_queue_url=queues[spec["DestinationConfig"]["OnFailure"]["Destination"]],
            )
        )
    return mappings


def _read_queue_urls(template: Template) -> dict[str, str]:
    """Return the URL of each of the template's queues, by its ARN."""
    return {
        values["Arn"]: values["Ref"]
        for name, values in template.attributes.items()
        if template.resources[name].type == "AWS::SQS::Queue"
    }


def _build_invocation_record(mapping: EventSourceMapping, batch: Batch, now: str) -> dict[str, Any]:
    """Return the record that Lambda sends to a stream's on-failure destination: the position of the records only."""
    numbers = [record["dynamodb"]["SequenceNumber"] for record in batch.records]
    return {
        "version": "1.0",
        "timestamp": now,
        "requestContext": {
            "requestId": str(uuid4()),
            "functionArn": f"{mapping.function_arn}:$LATEST",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": MAX_ATTEMPTS,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "DDBStreamBatchInfo": {
            "shardId": batch.shard,
            "startSequenceNumber": numbers[0],
            "endSequenceNumber": numbers[-1],
            "approximateArrivalOfFirstRecord": now,
            "approximateArrivalOfLastRecord": now,
            "batchSize": len(numbers),
            "streamArn": mapping.stream.arn,
        },
    }
