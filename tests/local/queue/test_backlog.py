from datetime import UTC, datetime, timedelta

import pytest

from local.queue.backlog import Backlog
from local.queue.messages import QueuedMessage

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def create_message(group: str, number: int, *, minutes: int = 0) -> QueuedMessage:
    return QueuedMessage(
        id=f"{group}{number}",
        receipt_handle="",
        body="",
        group=group,
        receive_count=1,
        sent_at=NOW,
        due_at=NOW + timedelta(minutes=minutes),
    )


def take_ids(backlog: Backlog, count: int, now: datetime = NOW) -> list[str | None]:
    messages = [backlog.take_message(now) for _ in range(count)]
    return [message.id if message else None for message in messages]


@pytest.fixture
def backlog() -> Backlog:
    """A backlog with many messages of group a, then one of b and two of c."""
    backlog = Backlog()
    for number in range(10):
        backlog.add_message(create_message("a", number))
    for group, number in (("b", 0), ("c", 0), ("c", 1)):
        backlog.add_message(create_message(group, number))
    return backlog


def test_group_with_the_fewest_in_flight_is_next(backlog: Backlog) -> None:
    assert take_ids(backlog, 6) == ["a0", "b0", "c0", "a1", "c1", "a2"]


def test_group_whose_messages_ended_is_next(backlog: Backlog) -> None:
    first = backlog.take_message(NOW)
    assert first is not None
    assert take_ids(backlog, 2) == ["b0", "c0"]
    backlog.end_flight(first)
    assert take_ids(backlog, 3) == ["a1", "c1", "a2"]


def test_groups_alternate_where_one_message_is_in_flight_at_a_time(backlog: Backlog) -> None:
    ids = []
    for _ in range(5):
        message = backlog.take_message(NOW)
        assert message is not None
        backlog.end_flight(message)
        ids.append(message.id)
    assert ids == ["a0", "b0", "c0", "a1", "c1"]


def test_messages_wait_until_they_are_due() -> None:
    backlog = Backlog()
    backlog.add_message(create_message("a", 2, minutes=2))
    backlog.add_message(create_message("a", 1, minutes=1))
    assert backlog.next_due_at() == NOW + timedelta(minutes=1)
    assert take_ids(backlog, 1) == [None]
    assert take_ids(backlog, 2, NOW + timedelta(minutes=1)) == ["a1", None]
    assert backlog.next_due_at() == NOW + timedelta(minutes=2)
    assert [message.id for message in backlog.list_messages()] == ["a2"]


def test_waiting_messages_are_listed_whether_due_or_not(backlog: Backlog) -> None:
    backlog.add_message(create_message("d", 0, minutes=1))
    backlog.take_message(NOW)
    assert len(backlog.list_messages()) == 13
