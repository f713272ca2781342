"""Take dead letters out of their queue and deliver their occurrences again; see docs/operations.md.

A letter is Lambda's record of a failed invocation, or what EventBridge Scheduler could not hand over at all.
"""

import argparse
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Deliver = Callable[[dict[str, Any]], None]


def replay(sqs: "SQSClient", queue_url: str, deliver: Deliver) -> tuple[int, int]:
    """Deliver each letter's occurrence; how many were delivered, and how many stay because they name none."""
    delivered = kept = 0
    while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            event = occurrence(message["Body"])
            if event is None:
                kept += 1
                continue
            deliver(event)
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            delivered += 1
    return delivered, kept


def occurrence(letter: str) -> dict[str, Any] | None:
    """The event to deliver, marked as a replay, or None for a letter that names no occurrence."""
    try:
        body = json.loads(letter)
        event = body.get("requestPayload", body)
        named = all(event[name] for name in ("installId", "scheduleId", "scheduledTime"))
    except (ValueError, AttributeError, TypeError, KeyError):
        return None
    return {**event, "replay": True} if named else None


def main() -> int:
    """Replay a whole queue through the execute function."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queue-url", required=True, help="the stack's output DeadLetterQueueUrl")
    parser.add_argument("--function-name", required=True, help="the stack's execute function")
    parser.add_argument("--endpoint-url", help="another endpoint than AWS's")
    given = parser.parse_args()
    functions = boto3.client("lambda", endpoint_url=given.endpoint_url)

    def deliver(event: dict[str, Any]) -> None:
        payload = json.dumps(event).encode()
        functions.invoke(FunctionName=given.function_name, InvocationType="Event", Payload=payload)

    sqs = boto3.client("sqs", endpoint_url=given.endpoint_url)
    delivered, kept = replay(sqs, given.queue_url, deliver)
    sys.stdout.write(f"{delivered} occurrences delivered again, {kept} letters left that name none\n")
    return 1 if kept else 0


if __name__ == "__main__":
    raise SystemExit(main())
