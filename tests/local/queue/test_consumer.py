from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event, Thread
from typing import TYPE_CHECKING, Any, cast

import pytest

from local.clock import LocalClock
from local.queue.consumer import QueueConsumer, QueueMapping
from tests.local.support import MemoryQueue, create_functions, create_mapping

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.cloudformation.clients import AwsClients

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
DONE: dict[str, Any] = {"batchItemFailures": []}


@pytest.fixture
def sqs() -> MemoryQueue:
    return MemoryQueue()


@pytest.fixture
def clock() -> LocalClock:
    return LocalClock(START, frozen=True)


def create_consumer(
    sqs: object,
    clock: LocalClock,
    run: Callable[[Any, Any], Any],
    mapping: QueueMapping | None = None,
) -> QueueConsumer:
    return QueueConsumer(cast(Any, sqs), create_functions(run=run), mapping or create_mapping(), clock)


def test_function_receives_the_message_as_from_lambda(sqs: MemoryQueue, clock: LocalClock) -> None:
    events: list[Any] = []
    sqs.send_message(QueueUrl="queue", MessageBody="text", MessageGroupId="tenant")
    create_consumer(sqs, clock, lambda event, _: events.append(event) or DONE).drain()  # type: ignore[func-returns-value]
    ((record,),) = [event["Records"] for event in events]
    assert (record["body"], record["eventSource"]) == ("text", "aws:sqs")
    assert record["md5OfBody"] == "1cb251ec0d568de6a929b520c4aed8d1"
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:123456789012:queue"
    assert record["awsRegion"] == "us-east-1"
    assert record["attributes"] == {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1795424400000",
        "SenderId": "local",
        "ApproximateFirstReceiveTimestamp": "1795424400000",
        "MessageGroupId": "tenant",
    }
    assert sqs.messages["queue"] == []


def test_drain_includes_what_the_function_sends(sqs: MemoryQueue, clock: LocalClock) -> None:
    bodies = []

    def run(event: Any, _: Any) -> Any:
        body = event["Records"][0]["body"]
        bodies.append(body)
        if len(body) < 4:
            sqs.send_message(QueueUrl="queue", MessageBody=body + "+")
        return DONE

    sqs.send_message(QueueUrl="queue", MessageBody="+")
    create_consumer(sqs, clock, run).drain()
    assert bodies == ["+", "++", "+++", "++++"]


def test_as_many_as_the_mapping_allows_run_at_once(sqs: MemoryQueue, clock: LocalClock) -> None:
    """The barrier breaks unless three run at once; a fourth would be counted."""
    barrier, running, most = Barrier(3), [], []

    def run(_event: Any, _: Any) -> Any:
        running.append(1)
        most.append(len(running))
        barrier.wait(20)
        running.pop()
        barrier.wait(20)
        return DONE

    for _ in range(9):
        sqs.send_message(QueueUrl="queue", MessageBody="{}")
    create_consumer(sqs, clock, run, create_mapping(max_concurrency=3)).drain()
    assert (len(most), max(most)) == (9, 3)


def test_delayed_message_waits_for_the_local_clock(sqs: MemoryQueue, clock: LocalClock) -> None:
    times: list[datetime] = []
    due_at = START + timedelta(minutes=1)
    sqs.send_message(QueueUrl="queue", MessageBody="{}", delay=due_at.isoformat())
    consumer = create_consumer(sqs, clock, lambda *_: times.append(clock.now()) or DONE)  # type: ignore[func-returns-value]
    consumer.drain()
    assert (times, consumer.next_due_at()) == ([], due_at)
    clock.freeze_at(due_at)
    consumer.drain()
    assert (times, consumer.next_due_at()) == ([due_at], None)


def test_delay_of_a_clock_that_was_moved_before_the_start_is_at_most_that_of_sqs(
    sqs: MemoryQueue, clock: LocalClock
) -> None:
    sqs.send_message(QueueUrl="queue", MessageBody="{}", delay="2027-01-01T00:00:00Z")
    consumer = create_consumer(sqs, clock, lambda *_: DONE)
    consumer.drain()
    assert consumer.next_due_at() == START + timedelta(minutes=15)


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(lambda: {"batchItemFailures": [{"itemIdentifier": "id"}]}, id="reported"),
        pytest.param(lambda: {"status": "success"}, id="other response"),
        pytest.param(lambda: None, id="no response"),
        pytest.param(lambda: 1 / 0, id="crash"),
    ],
)
def test_failed_message_is_received_again_after_its_visibility_timeout(
    sqs: MemoryQueue, clock: LocalClock, response: Callable[[], Any]
) -> None:
    counts: list[str] = []

    def run(event: Any, _: Any) -> Any:
        counts.append(event["Records"][0]["attributes"]["ApproximateReceiveCount"])
        return response()

    message_id = sqs.send_message(QueueUrl="queue", MessageBody="{}")["MessageId"]
    consumer = create_consumer(sqs, clock, run)
    consumer.drain()
    assert consumer.has_failed(message_id)
    clock.freeze_at(START + timedelta(minutes=3))
    consumer.drain()
    assert counts == ["1"]
    assert consumer.next_due_at() == START + timedelta(minutes=4)
    clock.freeze_at(START + timedelta(minutes=4))
    consumer.drain()
    assert counts == ["1", "2"]


def test_waiting_for_one_message_does_not_wait_for_the_others(sqs: MemoryQueue, clock: LocalClock) -> None:
    started, released = Event(), Event()

    def run(event: Any, _: Any) -> Any:
        if event["Records"][0]["body"] == "long":
            started.set()
            assert released.wait(20)
        return DONE

    long_id = sqs.send_message(QueueUrl="queue", MessageBody="long")["MessageId"]
    consumer = create_consumer(sqs, clock, run)
    waiting = Thread(target=consumer.wait_for_message, args=(long_id,))
    waiting.start()
    assert started.wait(20)
    consumer.wait_for_message(sqs.send_message(QueueUrl="queue", MessageBody="short")["MessageId"])
    assert sqs.bodies() == ["long"]
    released.set()
    waiting.join(20)
    assert sqs.bodies() == []


def test_stopped_consumer_makes_its_messages_visible(sqs: MemoryQueue, clock: LocalClock) -> None:
    sqs.send_message(QueueUrl="queue", MessageBody="{}", delay=(START + timedelta(minutes=1)).isoformat())
    consumer = create_consumer(sqs, clock, lambda *_: DONE)
    consumer.poll()
    assert not sqs.messages["queue"][0].visible
    stopped = Event()
    stopped.set()
    consumer.run(stopped)
    assert sqs.messages["queue"][0].visible


def test_sqs_moves_a_message_that_always_fails_to_the_dead_letter_queue(
    aws: AwsClients, clock: LocalClock
) -> None:
    dead_letters = aws.sqs.create_queue(QueueName="crashes-dead")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:crashes-dead"
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    url = aws.sqs.create_queue(QueueName="crashes", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    mapping = QueueMapping(url, "arn:aws:sqs:us-east-1:123456789012:crashes", "run", 2, timedelta(minutes=4))
    calls: list[datetime] = []

    def crash(*_: Any) -> Any:
        calls.append(clock.now())
        raise RuntimeError("no")

    consumer = create_consumer(aws.sqs, clock, crash, mapping)
    aws.sqs.send_message(QueueUrl=url, MessageBody="body", MessageGroupId="tenant")
    consumer.drain()
    while due_at := consumer.next_due_at():
        clock.freeze_at(due_at)
        consumer.drain()
    assert calls == [START + timedelta(minutes=4 * number) for number in range(3)]
    (message,) = aws.sqs.receive_message(QueueUrl=dead_letters)["Messages"]
    assert message["Body"] == "body"


def test_messages_that_are_sent_during_a_pause_arrive_together(sqs: MemoryQueue, clock: LocalClock) -> None:
    order: list[str] = []
    consumer = create_consumer(
        sqs,
        clock,
        lambda event, _: order.append(event["Records"][0]["body"]) or DONE,  # type: ignore[func-returns-value]
        create_mapping(max_concurrency=1),
    )
    polling = Thread(target=consumer.drain)
    with consumer.pause():
        polling.start()
        for number in range(20):
            sqs.send_message(QueueUrl="queue", MessageBody=f"noisy{number}", MessageGroupId="noisy")
        sqs.send_message(QueueUrl="queue", MessageBody="quiet", MessageGroupId="quiet")
        assert order == []
    polling.join(20)
    assert order[:3] == ["noisy0", "quiet", "noisy1"]
