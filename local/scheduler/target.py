"""Calls the target of a timer as EventBridge Scheduler does: the universal target for SQS's SendMessage."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from local.clock import format_instant

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_sqs import SQSClient

    from local.scheduler.schedules import LocalTimer

logger = logging.getLogger("local")
_SEND_MESSAGE = ":scheduler:::aws-sdk:sqs:sendMessage"


@dataclass(frozen=True)
class SentMessage:
    """A message that a timer has sent."""

    id: str
    body: str


class SendMessageTarget:
    """Sends the messages of timers; what cannot be sent goes to the timer's dead-letter queue."""

    def __init__(self, sqs: SQSClient) -> None:
        self._sqs = sqs

    def send_message(self, timer: LocalTimer, scheduled_time: datetime) -> SentMessage | None:
        """Send the message of one occurrence; return None if that fails, which EventBridge would retry for an hour."""
        text = timer.render_input(scheduled_time)
        try:
            request = _parse_request(timer, text)
            response = self._sqs.send_message(**request)
        except (ValueError, ClientError, BotoCoreError) as error:
            logger.warning("timer %s could not send its message: %s", timer.name, error)
            self._send_dead_letter(timer, scheduled_time, text, error)
            return None
        return SentMessage(response["MessageId"], request["MessageBody"])

    def _send_dead_letter(
        self, timer: LocalTimer, scheduled_time: datetime, text: str, error: Exception
    ) -> None:
        """Send the request to the dead-letter queue with the attributes that EventBridge adds."""
        if not timer.dead_letter_arn:
            return
        attributes = {
            "SCHEDULE_ARN": timer.arn,
            "SCHEDULED_TIME": format_instant(scheduled_time),
            "TARGET_ARN": timer.target_arn,
            "ERROR_CODE": _error_code(error),
            "ERROR_MESSAGE": str(error),
            "RETRY_ATTEMPTS": "0",
            "IS_PAYLOAD_TRUNCATED": "false",
        }
        try:
            url = self._sqs.get_queue_url(QueueName=timer.dead_letter_arn.rpartition(":")[2])["QueueUrl"]
            self._sqs.send_message(
                QueueUrl=url,
                MessageBody=text,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
        except (ClientError, BotoCoreError) as failure:
            logger.error("the dead letter of timer %s is lost: %s", timer.name, failure)


def _parse_request(timer: LocalTimer, text: str) -> dict[str, Any]:
    if not timer.target_arn.endswith(_SEND_MESSAGE):
        raise ValueError(f"the local stack has no rule for the target {timer.target_arn}")
    request = json.loads(text)
    if not isinstance(request, dict):
        raise ValueError(f"the input {text} is not a request of SendMessage")
    return request


def _error_code(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return (
        "InvalidParameter" if isinstance(error, ParamValidationError | ValueError) else "SdkClientException"
    )
