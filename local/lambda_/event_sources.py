"""Lambda's event source mappings: what is written to a table invokes a function with it."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from local.clock import iso
from local.lambda_.asynchronous import queue_urls
from local.lambda_.functions import FunctionFailed
from local.lambda_.patterns import Pattern, matches, parse_pattern
from local.lambda_.streams import Batch, Record, TableStream

if TYPE_CHECKING:
    from threading import Event

    from local.clock import LocalClock
    from local.cloudformation.clients import Aws
    from local.cloudformation.template import Template
    from local.lambda_.endpoint import LambdaEndpoint
    from local.lambda_.functions import Functions

_logger = logging.getLogger(__name__)
PERIOD_SECONDS = 1.0
ATTEMPTS = 3
"""Of the hours that Lambda tries."""


@dataclass(frozen=True)
class Mapping:
    """What of a stream invokes which function, and the URL of the queue for what fails for good."""

    stream: TableStream
    function_arn: str
    patterns: list[Pattern]
    most: int
    on_failure: str


class StreamMappings:
    """Plays the template's event source mappings, in order and at least once."""

    def __init__(
        self, aws: Aws, functions: Functions | LambdaEndpoint, mappings: list[Mapping], clock: LocalClock
    ) -> None:
        self._aws = aws
        self._functions = functions
        self._mappings = mappings
        self._clock = clock
        self._turn = Lock()

    def run(self, stop: Event) -> None:
        """Read on and on until told to stop, and once more then."""
        ended = False
        while not ended:
            ended = stop.wait(PERIOD_SECONDS)
            self.poll()

    def poll(self) -> None:
        """Hand over what there is."""
        with self._turn:
            try:
                for mapping in self._mappings:
                    for batch in mapping.stream.read(self._stamp):
                        self._hand_over(mapping, batch)
            except (BotoCoreError, ClientError) as error:
                _logger.error("a stream cannot be read: %s", error)

    def _stamp(self, created: datetime) -> datetime:
        """When something happened, by the stack's clock: AWS stamps it by the real one."""
        now = self._clock.now()
        return now if self._clock.standing else now - max(timedelta(), datetime.now(UTC) - created)

    def _hand_over(self, mapping: Mapping, batch: Batch) -> None:
        wanted = [
            record
            for record in batch.records
            if any(matches(pattern, record) for pattern in mapping.patterns)
        ]
        for start in range(0, len(wanted), mapping.most):
            self._invoke(mapping, Batch(batch.shard, wanted[start : start + mapping.most]))

    def _invoke(self, mapping: Mapping, batch: Batch) -> None:
        """In halves where it fails again and again, so that one record alone is given up."""
        left = batch.records
        for _ in range(ATTEMPTS):
            left = self._left(mapping, left)
            if not left:
                return
        if len(left) == 1:
            self._give_up(mapping, Batch(batch.shard, left))
            return
        half = len(left) // 2
        for part in (left[:half], left[half:]):
            self._invoke(mapping, Batch(batch.shard, part))

    def _left(self, mapping: Mapping, records: list[Record]) -> list[Record]:
        """The records from the first on that the function says has failed."""
        try:
            answer = self._functions.invoke(mapping.function_arn, {"Records": records})
        except FunctionFailed:
            return records
        failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        first = next((at for at, number in enumerate(numbers) if number in failed), len(records))
        return records[first:]

    def _give_up(self, mapping: Mapping, batch: Batch) -> None:
        letter = _letter(mapping, batch, iso(self._clock.now()))
        self._aws.sqs.send_message(QueueUrl=mapping.on_failure, MessageBody=json.dumps(letter))


def stream_mappings(template: Template, aws: Aws) -> list[Mapping]:
    """The template's event source mappings, from now on."""
    arns = {
        spec["FunctionName"]: template.attributes[name]["Arn"]
        for name, spec in template.of_type("AWS::Lambda::Function").items()
    }
    queues = queue_urls(template)
    found = []
    for spec in template.of_type("AWS::Lambda::EventSourceMapping").values():
        stream = TableStream(aws.streams, spec["EventSourceArn"])
        stream.skip()
        found.append(
            Mapping(
                stream=stream,
                function_arn=arns[spec["FunctionName"]],
                patterns=[parse_pattern(each["Pattern"]) for each in spec["FilterCriteria"]["Filters"]],
                most=spec["BatchSize"],
                on_failure=queues[spec["DestinationConfig"]["OnFailure"]["Destination"]],
            )
        )
    return found


def _letter(mapping: Mapping, batch: Batch, now: str) -> dict[str, Any]:
    """What Lambda sends to an on-failure destination of a stream: where the records are, not what they say."""
    numbers = [record["dynamodb"]["SequenceNumber"] for record in batch.records]
    return {
        "version": "1.0",
        "timestamp": now,
        "requestContext": {
            "requestId": str(uuid4()),
            "functionArn": f"{mapping.function_arn}:$LATEST",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": ATTEMPTS,
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
