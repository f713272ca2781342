"""The queue of occurrences, and that of dead letters, in SQS (contract, sections 5 and 6)."""

import math
from datetime import timedelta
from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from scheduling.domain.errors import Unavailable
from scheduling.domain.fire_events import FireEvent, format_fire_event
from scheduling.domain.runs import Fire

MAX_DELAY = timedelta(minutes=15)
"""The longest delay of one message."""
_CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
_REASON_ATTRIBUTE = "ERROR_MESSAGE"
"""The attribute in which EventBridge Scheduler too writes why it has given up."""
_MAX_REASON_LENGTH = 1_000


class OccurrenceQueue:
    """The queue from timers to the executor. Each method makes one call, and raises Unavailable."""

    def __init__(self, session: Session, queue_url: str, dead_letter_queue_url: str | None = None) -> None:
        self._session = session
        self._queue_url = queue_url
        self._dead_letter_queue_url = dead_letter_queue_url

    @cached_property
    def _client(self) -> Any:
        """The client, created when it is first needed: a fire that succeeds at once needs none."""
        return self._session.create_client("sqs", config=_CONFIG)

    def send_fire(self, fire: Fire, group: str) -> None:
        """Send an occurrence, to be run as soon as possible."""
        self.send_event(FireEvent(fire=fire), group)

    def send_event(self, event: FireEvent, group: str, delay: timedelta = timedelta()) -> None:
        """Send the event of an occurrence, to be delivered after the delay, of at most `MAX_DELAY`."""
        seconds = math.ceil(min(delay, MAX_DELAY) / timedelta(seconds=1))
        self._send_message(
            QueueUrl=self._queue_url,
            MessageBody=format_fire_event(event),
            MessageGroupId=group,
            **({"DelaySeconds": seconds} if seconds > 0 else {}),
        )

    def send_dead_letter(self, body: str, group: str | None, reason: str) -> None:
        """Send a message to the queue of dead letters, with the reason for the operator."""
        text = _printable(reason)[:_MAX_REASON_LENGTH] or "unknown"
        self._send_message(
            QueueUrl=self._dead_letter_queue_url,
            MessageBody=body,
            MessageAttributes={_REASON_ATTRIBUTE: {"DataType": "String", "StringValue": text}},
            **({"MessageGroupId": group} if group else {}),
        )

    def _send_message(self, **arguments: Any) -> None:
        try:
            self._client.send_message(**arguments)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("The run could not be confirmed; it may still start") from error


def _printable(text: str) -> str:
    """Return the text without the characters that SQS refuses."""
    return "".join(character if character.isprintable() else " " for character in text).strip()
