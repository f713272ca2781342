"""Lambda's event source mapping of a queue: each message invokes a function."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from heapq import heappop, heappush
from threading import Condition, Lock
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.lambda_.functions import FunctionError
from local.queue.backlog import Backlog
from local.queue.delays import DUE_AT
from local.queue.messages import QueuedMessage, parse_message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from threading import Event

    from mypy_boto3_sqs import SQSClient

    from local.clock import LocalClock
    from local.lambda_.endpoint import LambdaEndpoint
    from local.lambda_.functions import LocalFunctions

logger = logging.getLogger("local")
POLL_INTERVAL_SECONDS = 0.2
_HOLD_SECONDS = 43_200
"""SQS's longest visibility time-out: the messages that wait here are invisible to others."""
_BATCH_SIZE = 10
_MAX_REMEMBERED = 10_000


@dataclass(frozen=True)
class QueueMapping:
    """A mapping with batches of one message, which the function reports as failed or done."""

    queue_url: str
    queue_arn: str
    function_arn: str
    max_concurrency: int
    visibility_timeout: timedelta


class QueueConsumer:
    """Invokes the function of a mapping for each message of the queue, in the local clock's time.

    A message whose function fails or crashes becomes visible again after the queue's visibility time-out, by the local
    clock; SQS counts how often it was received, and moves it to the dead-letter queue.
    """

    def __init__(
        self,
        sqs: SQSClient,
        functions: LocalFunctions | LambdaEndpoint,
        mapping: QueueMapping,
        clock: LocalClock,
    ) -> None:
        self._sqs = sqs
        self._functions = functions
        self._mapping = mapping
        self._clock = clock
        self._pool = ThreadPoolExecutor(mapping.max_concurrency, thread_name_prefix="execute")
        self._receive_lock = Lock()
        self._changed = Condition()
        self._backlog = Backlog()
        self._in_flight = 0
        self._failed: list[tuple[datetime, str, QueuedMessage]] = []
        """The messages that become visible again, by time."""
        self._ended_ids: dict[str, None] = {}
        self.last_error: str | None = None
        """Why the last poll failed; None if it succeeded."""

    def run(self, stop: Event) -> None:
        """Process messages as they come and as they become due, until `stop` is set."""
        while not stop.wait(POLL_INTERVAL_SECONDS):
            try:
                self.poll()
                self.last_error = None
            except (BotoCoreError, ClientError) as error:
                self.last_error = f"polling {self._mapping.queue_url} failed: {error}"
                logger.error(self.last_error)
        self._release_messages()

    def poll(self) -> bool:
        """Receive all messages and start those that are due; return whether any is in flight."""
        with self._receive_lock:
            self._release_failed_messages()
            while batch := self._receive_batch():
                with self._changed:
                    for message in batch:
                        self._backlog.add_message(message)
        with self._changed:
            self._start_due_messages()
            return self._in_flight > 0

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Start no message within the block, so that those that are sent in it arrive together."""
        with self._receive_lock:
            yield

    def drain(self) -> None:
        """Process all messages that are due, with those that they send."""
        while self.poll():
            with self._changed:
                self._changed.wait_for(lambda: self._in_flight == 0)

    def wait_for_message(self, message_id: str) -> None:
        """Process messages until the one with this id is done or has failed."""
        while message_id not in self._ended_ids:
            self.poll()
            with self._changed:
                self._changed.wait_for(lambda: message_id in self._ended_ids, timeout=POLL_INTERVAL_SECONDS)

    def describe(self) -> dict[str, int]:
        """Return how many messages are in flight, and how many wait."""
        with self._changed:
            waiting = len(self._backlog.list_messages()) + len(self._failed)
            return {"inFlight": self._in_flight, "waiting": waiting}

    def next_due_at(self) -> datetime | None:
        """Return when the next waiting message is due or visible again; None if none waits."""
        with self._changed:
            times = [self._backlog.next_due_at(), self._failed[0][0] if self._failed else None]
        return min((time for time in times if time), default=None)

    def has_failed(self, message_id: str) -> bool:
        """Return whether the function failed for a message, which is still to be delivered again."""
        with self._changed:
            return any(message.id == message_id for _, _, message in self._failed)

    def _receive_batch(self) -> list[QueuedMessage]:
        response = self._sqs.receive_message(
            QueueUrl=self._mapping.queue_url,
            MaxNumberOfMessages=_BATCH_SIZE,
            VisibilityTimeout=_HOLD_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=[DUE_AT],
        )
        return [parse_message(message, self._clock) for message in response.get("Messages", [])]

    def _start_due_messages(self) -> None:
        while self._in_flight < self._mapping.max_concurrency:
            message = self._backlog.take_message(self._clock.now())
            if message is None:
                return
            self._in_flight += 1
            self._pool.submit(self._process_message, message)

    def _process_message(self, message: QueuedMessage) -> None:
        succeeded = False
        try:
            succeeded = self._invoke_function(message)
            if succeeded:
                self._sqs.delete_message(
                    QueueUrl=self._mapping.queue_url, ReceiptHandle=message.receipt_handle
                )
        except Exception:  # of botocore, or of the local stack itself
            logger.exception("message %s was not processed", message.id)
        finally:
            with self._changed:
                self._end_message(message, succeeded=succeeded)

    def _invoke_function(self, message: QueuedMessage) -> bool:
        """Invoke the function and return whether it has reported success."""
        event = message.build_event(self._mapping.queue_arn)
        try:
            response = self._functions.invoke_function(self._mapping.function_arn, event)
        except FunctionError:
            return False
        return isinstance(response, dict) and response.get("batchItemFailures") == []

    def _end_message(self, message: QueuedMessage, *, succeeded: bool) -> None:
        if not succeeded:
            visible_at = self._clock.now() + self._mapping.visibility_timeout
            heappush(self._failed, (visible_at, message.id, message))
        self._in_flight -= 1
        self._backlog.end_flight(message)
        self._ended_ids[message.id] = None
        if len(self._ended_ids) > _MAX_REMEMBERED:
            del self._ended_ids[next(iter(self._ended_ids))]
        self._start_due_messages()
        self._changed.notify_all()

    def _release_failed_messages(self) -> None:
        """Make failed messages visible whose visibility time-out has passed."""
        while True:
            with self._changed:
                if not self._failed or self._failed[0][0] > self._clock.now():
                    return
                message = heappop(self._failed)[2]
                self._ended_ids.pop(message.id, None)
            self._make_visible(message)

    def _release_messages(self) -> None:
        """Make all waiting messages visible, for the next start of a stack on the same emulator."""
        with self._changed:
            messages = [*self._backlog.list_messages(), *(message for _, _, message in self._failed)]
        for message in messages:
            self._make_visible(message)

    def _make_visible(self, message: QueuedMessage) -> None:
        try:
            self._sqs.change_message_visibility(
                QueueUrl=self._mapping.queue_url, ReceiptHandle=message.receipt_handle, VisibilityTimeout=0
            )
        except (BotoCoreError, ClientError) as error:
            logger.error("message %s stays invisible: %s", message.id, error)
