"""The dead-letter queues: the executor's, and that of what EventBridge Scheduler could not send."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from scheduling.domain.errors import InvalidFireEvent, TimerFailed
from scheduling.domain.ids import ScheduleId, parse_schedule_id
from scheduling.domain.runs import Fire
from scheduling.domain.sweeps import TimerSnapshot

from scheduling_admin.stack.dead_letter_forms import parse_dead_letter_content
from scheduling_admin.stack.queues import MessageQueue, PeekResult, QueueMessage, message_fields

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ReadTimer = Callable[[ScheduleId], TimerSnapshot | None]


@dataclass(frozen=True, kw_only=True)
class DeadLetter(QueueMessage):
    """One message; `fire` is the occurrence to deliver again, or None, and then `problem` says why."""

    fire: Fire | None
    group: str | None
    reason: str | None
    problem: str | None = None
    body: str = ""


class DeadLetterQueues:
    """The stack's dead-letter queues, which are read as one, by one thread at a time: a reader hides what it reads."""

    def __init__(self, sqs: "SQSClient", urls: tuple[str, ...], read_timer: ReadTimer) -> None:
        self._read_timer = read_timer
        self._lock = Lock()
        self._queues = [MessageQueue(sqs, url, self.parse_dead_letter) for url in urls]

    def peek_messages(self) -> PeekResult[DeadLetter]:
        """Return the dead letters and leave them in their queues."""
        with self._lock:
            results = [queue.peek_messages() for queue in self._queues]
        messages = tuple(message for result in results for message in result.messages)
        return PeekResult(messages, reached_end=all(result.reached_end for result in results))

    def estimate_message_count(self) -> int:
        """Return the approximate number of dead letters."""
        return sum(queue.estimate_message_count() for queue in self._queues)

    def replay_dead_letters(
        self, is_selected: Callable[[DeadLetter], bool], deliver: Callable[[DeadLetter], None]
    ) -> Iterator[DeadLetter]:
        """Deliver the selected dead letters and delete them; yield each one when done.

        One with a problem is yielded too. It stays in its queue, as do those that are not selected, and one whose
        occurrence has been delivered before: it has failed again meanwhile.
        An exception of `deliver` ends the iteration.
        """
        delivered: set[tuple[str, str]] = set()
        for queue in self._queues:
            remaining: list[DeadLetter] = []
            with self._lock, ExitStack() as exit_stack:
                exit_stack.callback(queue.release_messages, remaining)
                for dead_letter in queue.iterate_messages():
                    remaining.append(dead_letter)
                    if not is_selected(dead_letter):
                        continue
                    if fire := dead_letter.fire:
                        if (fire.schedule_id, fire.scheduled_time) in delivered:
                            continue
                        deliver(dead_letter)
                        queue.delete_message(remaining.pop())
                        delivered.add((fire.schedule_id, fire.scheduled_time))
                    yield dead_letter

    def drop_dead_letters(self, is_selected: Callable[[DeadLetter], bool]) -> Iterator[DeadLetter]:
        """Delete the selected dead letters that name no occurrence; yield each one when done. The others stay."""
        for queue in self._queues:
            remaining: list[DeadLetter] = []
            with self._lock, ExitStack() as exit_stack:
                exit_stack.callback(queue.release_messages, remaining)
                for dead_letter in queue.iterate_messages():
                    if dead_letter.fire is None and is_selected(dead_letter):
                        queue.delete_message(dead_letter)
                        yield dead_letter
                    else:
                        remaining.append(dead_letter)

    def parse_dead_letter(self, message: Mapping[str, Any]) -> DeadLetter:
        """Parse a message of either queue."""
        content = parse_dead_letter_content(message)
        timer_name = parse_schedule_id(content.timer_name or "")
        if timer_name:
            with suppress(TimerFailed):
                content = content.complete_from_timer(self._read_timer(timer_name))
        fire, problem = None, None
        try:
            fire = content.parse_replay()
        except InvalidFireEvent as error:
            problem = f"It names no occurrence: {error}"
        return DeadLetter(
            **message_fields(message),
            fire=fire,
            group=content.group,
            reason=content.reason,
            problem=problem,
            body=str(message.get("Body", "")),
        )
