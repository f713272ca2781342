"""The client of the event bus, with stubbed responses of EventBridge."""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from botocore.session import Session
from botocore.stub import ANY, Stubber
from scheduling.clients.event_bus import EventBusClient
from scheduling.domain.audit.events import AuditEvent, EventName

from tests.unit.builders import NOW


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> EventBusClient:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "test")
    return EventBusClient(Session(), "the-bus")


@pytest.fixture
def client(bus: EventBusClient) -> Iterator[Stubber]:
    """Each response that a test adds is one call that must be made."""
    with Stubber(bus._client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def events(count: int, **detail: object) -> list[AuditEvent]:
    return [
        AuditEvent(
            name=EventName.RUN_FAILED,
            sequence=str(number),
            time=NOW + timedelta(seconds=number),
            detail={"n": number, **detail},
        )
        for number in range(count)
    ]


def expect_put_events(
    client: Stubber, count: int, *failed: int, numbers: Sequence[int] | None = None
) -> None:
    """Respond to the next call, of `count` events, that the events at the positions `failed` have failed."""
    entries = [
        {"ErrorCode": "ThrottlingException", "ErrorMessage": "no"} if position in failed else {"EventId": "1"}
        for position in range(count)
    ]
    expected: Any = [ANY] * count
    if numbers is not None:
        expected = [expected_entry(number) for number in numbers]
    parameters = {"Entries": expected}
    client.add_response("put_events", {"FailedEntryCount": len(failed), "Entries": entries}, parameters)


def expected_entry(number: int) -> dict[str, object]:
    return {
        "EventBusName": "the-bus",
        "Source": "extension-scheduler",
        "DetailType": "RunFailed",
        "Time": NOW + timedelta(seconds=number),
        "Detail": json.dumps({"n": number}, separators=(",", ":")),
    }


def test_events_are_put_ten_at_a_time_and_in_order(bus: EventBusClient, client: Stubber) -> None:
    batch = events(21)
    expect_put_events(client, 10, numbers=range(10))
    expect_put_events(client, 10, numbers=range(10, 20))
    expect_put_events(client, 1, numbers=[20])

    assert bus.put_events(batch) == batch


def test_no_events_make_no_call(bus: EventBusClient, client: Stubber) -> None:
    del client

    assert bus.put_events([]) == []


def test_large_events_go_in_fewer_at_a_time(bus: EventBusClient, client: Stubber) -> None:
    batch = events(5, error="€" * 25_000)
    expect_put_events(client, 2)
    expect_put_events(client, 2)
    expect_put_events(client, 1)

    assert bus.put_events(batch) == batch


def test_oversized_event_is_sent_alone(bus: EventBusClient, client: Stubber) -> None:
    batch = [*events(1), *events(1, error="x" * 250_000), *events(1)]
    for _ in batch:
        expect_put_events(client, 1)

    assert bus.put_events(batch) == batch


def test_refused_entries_are_returned_and_the_rest_continue(
    bus: EventBusClient, client: Stubber, caplog: pytest.LogCaptureFixture
) -> None:
    batch = events(12)
    expect_put_events(client, 10, 3, 9)
    expect_put_events(client, 2)

    accepted = bus.put_events(batch)

    assert [event for event in batch if event not in accepted] == [batch[3], batch[9]]
    assert [record.message for record in caplog.records] == [
        "RunFailed 3 was not accepted: ThrottlingException",
        "RunFailed 9 was not accepted: ThrottlingException",
    ]


@pytest.mark.parametrize("code", ["AccessDeniedException", "InternalException"])
def test_no_call_follows_a_failed_call(bus: EventBusClient, client: Stubber, code: str) -> None:
    batch = events(30)
    expect_put_events(client, 10, 5)
    client.add_client_error("put_events", code)

    assert bus.put_events(batch) == [*batch[:5], *batch[6:10]]
