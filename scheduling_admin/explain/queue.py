"""What the queue of occurrences says about an occurrence that is to come from it, and does not."""

from datetime import datetime, timedelta

from scheduling.domain.runs import Run, RunStatus
from scheduling.domain.views import format_timestamp

from scheduling_admin.explain.evidence import Evidence
from scheduling_admin.health.model import QueueState
from scheduling_admin.health.problems import MAX_MESSAGE_AGE, QUEUE_ADVICE
from scheduling_admin.health.rendering import describe_queue

_MAX_DELAY = timedelta(minutes=1)
"""How much later than planned the queue may deliver a message without that being told."""


def is_delivery_late(run: Run, now: datetime) -> bool:
    """Return whether the queue should have delivered the message by now that the run waits for."""
    is_awaited = run.status is RunStatus.WAITING or (run.retryable and not run.failed_permanently)
    return is_awaited and run.not_before is not None and now - run.not_before > _MAX_DELAY


def describe_next_delivery(evidence: Evidence, run: Run) -> tuple[str, ...]:
    """Describe when the run is tried again, or that the queue does not deliver it."""
    if run.not_before is None:
        return ()
    planned = format_timestamp(run.not_before)
    if not is_delivery_late(run, evidence.now):
        return (f"It is tried again at {planned}.",)
    sentence = f"It was to be tried again at {planned}, and has not been delivered yet."
    return (sentence, *describe_queue_state(evidence.queue, empty="its message was lost, or is under way"))


def describe_queue_state(queue: QueueState | None, *, empty: str) -> tuple[str, ...]:
    """Describe the queue; `empty` says what it means that it has no messages."""
    if queue is None:
        return ()
    if queue.depth.is_empty:
        return (f"The queue of occurrences is empty: {empty}.",)
    return (f"The queue of occurrences has {describe_queue(queue)}.",)


def advise_on_queue(queue: QueueState | None) -> tuple[str, ...]:
    """Advise on a queue from which nobody takes messages."""
    if queue is None:
        return ()
    depth, age = queue.depth, queue.oldest_message_age
    is_old = age is not None and age > MAX_MESSAGE_AGE and not depth.is_empty
    return (QUEUE_ADVICE,) if depth.is_untouched or is_old else ()
