"""The event of an occurrence: what timers and the executor write, and what is read of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from scheduling.domain.errors import InvalidFireEvent
from scheduling.domain.fire_events import (
    FireEvent,
    build_timer_input,
    format_fire_event,
    parse_fire_event,
    parse_timer_input,
)
from scheduling.domain.runs import Trigger

from tests.unit.builders import INSTALL_ID, NOW, SCHEDULE_ID, fire, schedule

EVENT: dict[str, Any] = {
    "installId": INSTALL_ID,
    "scheduleId": SCHEDULE_ID,
    "revision": 1,
    "scheduledTime": "2026-11-23T09:00:00Z",
    "attempt": "1",
}
QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/occurrences"


def test_timer_sends_ids_only_in_the_group_of_its_tenant() -> None:
    text = build_timer_input(schedule(payload='{"secret":1}', timer_revision=4), QUEUE)
    message = json.loads(text)

    assert {**message, "MessageBody": json.loads(message["MessageBody"])} == {
        "QueueUrl": QUEUE,
        "MessageGroupId": "tenant-1",
        "MessageBody": {
            "installId": INSTALL_ID,
            "scheduleId": SCHEDULE_ID,
            "revision": 4,
            "scheduledTime": "<aws.scheduler.scheduled-time>",
            "attempt": "<aws.scheduler.attempt-number>",
        },
    }


def test_schedule_of_an_early_release_without_tenant_has_its_install_as_group() -> None:
    assert json.loads(build_timer_input(schedule(tenant_id=""), QUEUE))["MessageGroupId"] == INSTALL_ID


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            json.dumps(
                {"QueueUrl": QUEUE, "MessageGroupId": "t", "MessageBody": json.dumps({"revision": 2})}
            ),
            ({"revision": 2}, QUEUE, "t"),
            id="message",
        ),
        pytest.param('{"revision": 2}', ({"revision": 2}, None, None), id="earlier release"),
        pytest.param('{"MessageBody": "5"}', ({}, None, None), id="body of another kind"),
        pytest.param('{"MessageBody": 5}', ({}, None, None), id="no text"),
        pytest.param("5", ({}, None, None), id="made by hand"),
        pytest.param("{", ({}, None, None), id="no JSON"),
        pytest.param("[" * 100_000, ({}, None, None), id="too deep"),
        pytest.param(None, ({}, None, None), id="none"),
    ],
)
def test_input_of_any_timer_can_be_read(text: str | None, expected: tuple[object, ...]) -> None:
    assert parse_timer_input(text) == expected


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(FireEvent(fire=fire()), id="first"),
        pytest.param(FireEvent(fire=fire(replay=True), wait_token="token"), id="dead letter"),
        pytest.param(
            FireEvent(
                fire=fire(trigger=Trigger.MANUAL, scheduled_time="2026-11-23T09:00:00.123Z"),
                first_sent_at=NOW,
                sent_at=datetime(2026, 11, 23, 9, 1, 2, 345, UTC),
                wait_token="token",
            ),
            id="continuation",
        ),
    ],
)
def test_what_the_executor_writes_it_reads(event: FireEvent) -> None:
    assert parse_fire_event(format_fire_event(event)) == event
    assert parse_fire_event(json.loads(format_fire_event(event))) == event


def test_event_of_a_timer_is_read() -> None:
    assert parse_fire_event(EVENT) == FireEvent(fire=fire())
    assert parse_fire_event({**EVENT, "revision": "1", "trigger": None}) == FireEvent(fire=fire())
    assert parse_fire_event({**EVENT, "scheduledTime": "2026-11-23T10:00:00+01:00"}).fire == fire()
    upper_case = {**EVENT, "scheduleId": SCHEDULE_ID.upper()}
    assert parse_fire_event(upper_case).fire == replace(fire(), schedule_id=SCHEDULE_ID)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"installId": None}, "installId is missing"),
        ({"installId": "-"}, "installId is invalid"),
        ({"scheduleId": 1}, "scheduleId is invalid"),
        ({"scheduleId": "one"}, "scheduleId is invalid"),
        ({"revision": "x"}, "revision is invalid"),
        ({"revision": True}, "revision is invalid"),
        ({"revision": 1.5}, "revision is invalid"),
        ({"revision": None}, "revision is missing"),
        ({"scheduledTime": "<aws.scheduler.scheduled-time>"}, "scheduledTime is invalid"),
        ({"scheduledTime": "2026-11-23T09:00:00"}, "scheduledTime is invalid"),
        ({"scheduledTime": "9999-12-31T23:59:59-14:00"}, "scheduledTime is invalid"),
        ({"scheduledTime": None}, "scheduledTime is missing"),
        ({"trigger": "cron"}, "trigger is invalid"),
        ({"trigger": {}}, "trigger is invalid"),
        ({"replay": "yes"}, "replay is invalid"),
        ({"firstSentAt": "yesterday"}, "firstSentAt is invalid"),
        ({"sentAt": "2026-11-23T09:00:00"}, "sentAt is invalid"),
        ({"waitToken": 5}, "waitToken is invalid"),
    ],
)
def test_wrong_field_is_named(fields: dict[str, object], text: str) -> None:
    with pytest.raises(InvalidFireEvent) as refused:
        parse_fire_event({**EVENT, **fields})
    assert str(refused.value) == text


@pytest.mark.parametrize("body", ["", "5", "[]", "{}", "null", "{", "[" * 100_000, 5, None])
def test_what_is_no_object_names_no_occurrence(body: object) -> None:
    with pytest.raises(InvalidFireEvent, match="it is not a JSON object with fields"):
        parse_fire_event(body)
