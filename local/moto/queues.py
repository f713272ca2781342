"""Makes SQS queues safe for parallel requests.

Written for moto 5.2.5, which deletes a message by replacing the list of messages: one sent meanwhile is lost.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from moto.sqs.models import Queue, SQSBackend

if TYPE_CHECKING:
    from moto.sqs.models import Message

_original_delete = Queue.delete_message
_original_receive = SQSBackend.receive_message
_original_change_visibility = SQSBackend.change_message_visibility
ORIGINALS = {
    (Queue, "delete_message"): _original_delete,
    (SQSBackend, "receive_message"): _original_receive,
    (SQSBackend, "change_message_visibility"): _original_change_visibility,
}


def patch_queues() -> None:
    """Let moto change a queue in one thread at a time, under the lock that it already takes to add a message."""
    for (owner, name), replacement in REPLACEMENTS.items():
        setattr(owner, name, replacement)


def delete_message(queue: Queue, receipt_handle: str) -> None:
    """Delete a message while no other is added."""
    with queue._messages_lock:
        _original_delete(queue, receipt_handle)


def change_visibility(backend: SQSBackend, queue_name: str, *args: Any, **kwargs: Any) -> None:
    """Change the visibility of a message that nobody receives meanwhile."""
    with backend.get_queue(queue_name)._messages_lock:
        _original_change_visibility(backend, queue_name, *args, **kwargs)


def receive_message(
    backend: SQSBackend, queue_name: str, count: int, wait_seconds_timeout: int, *args: Any, **kwargs: Any
) -> list[Message]:
    """Receive messages, each by one receiver; the lock is not held while there are none."""
    queue = backend.get_queue(queue_name)
    deadline = time.monotonic() + wait_seconds_timeout
    while True:
        with queue._messages_lock:
            messages = _original_receive(backend, queue_name, count, 0, *args, **kwargs)
        remaining_seconds = deadline - time.monotonic()
        if messages or remaining_seconds <= 0:
            return messages
        queue.wait_for_messages(min(1, remaining_seconds))  # type: ignore[arg-type]


REPLACEMENTS = {
    (Queue, "delete_message"): delete_message,
    (SQSBackend, "receive_message"): receive_message,
    (SQSBackend, "change_message_visibility"): change_visibility,
}
