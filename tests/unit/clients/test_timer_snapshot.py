"""A timer of EventBridge, whatever it holds, as the sweep compares it."""

import json
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import pytest
from botocore.session import Session
from scheduling.clients.scheduler import TimerClient
from scheduling.domain.sweeps import TimerSnapshot

from tests.support.stacks.world import TIMER_SETTINGS, UNKNOWN_SCHEDULE_ID

TARGET = {
    "Arn": TIMER_SETTINGS.timer_target_arn,
    "RoleArn": TIMER_SETTINGS.timer_role_arn,
    "DeadLetterConfig": {"Arn": TIMER_SETTINGS.timer_dlq_arn},
    "Input": json.dumps(
        {
            "QueueUrl": TIMER_SETTINGS.occurrence_queue_url,
            "MessageBody": json.dumps({"installId": "install-1", "revision": 7}),
            "MessageGroupId": "tenant-1",
        }
    ),
}
TIMER = {
    "ScheduleExpression": "cron(0 9 * * ? *)",
    "ScheduleExpressionTimezone": "UTC",
    "State": "ENABLED",
    "Target": TARGET,
}


def read_snapshot(timer: Mapping[str, Any]) -> TimerSnapshot:
    client = TimerClient(Session(), TIMER_SETTINGS)
    with patch.object(TimerClient, "_cached_client") as api:
        api.get_schedule.return_value = timer
        snapshot = client.get_timer(UNKNOWN_SCHEDULE_ID)
    assert snapshot is not None
    return snapshot


def test_a_timer_of_this_stack_is_read() -> None:
    snapshot = read_snapshot(TIMER)

    assert (snapshot.install_id, snapshot.timer_revision) == ("install-1", 7)
    assert (snapshot.matches_stack, snapshot.unreadable) == (True, None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("5", "its input is not a JSON object"),
        ("[]", "its input is not a JSON object"),
        ("null", "its input is not a JSON object"),
        ("{", "its input is not JSON"),
        ("", "its input is not JSON"),
        (None, "its input is not JSON"),
        ("{}", "its input names no install"),
        ('{"installId": 5}', "its input names no install"),
        ('{"installId": "a b"}', "its input names no install"),
    ],
)
def test_an_input_of_another_form_names_no_install(text: str | None, reason: str) -> None:
    snapshot = read_snapshot({**TIMER, "Target": {**TARGET, "Input": text}})

    assert (snapshot.install_id, snapshot.timer_revision, snapshot.unreadable) == (None, None, reason)


@pytest.mark.parametrize(
    "timer",
    [
        {},
        {key: value for key, value in TIMER.items() if key != "State"},
        {**TIMER, "Target": {}},
        {**TIMER, "Target": {key: value for key, value in TARGET.items() if key != "RoleArn"}},
        {**TIMER, "Target": {key: value for key, value in TARGET.items() if key != "DeadLetterConfig"}},
    ],
    ids=["nothing", "no state", "empty target", "no role", "no queue"],
)
def test_a_timer_that_lacks_a_part_is_not_of_this_stack(timer: Mapping[str, Any]) -> None:
    assert not read_snapshot(timer).matches_stack


def test_a_timer_of_a_release_without_a_queue_is_read_and_not_of_this_stack() -> None:
    target = {**TARGET, "Input": json.dumps({"installId": "install-1", "revision": 7})}
    snapshot = read_snapshot({**TIMER, "Target": target})

    assert (snapshot.install_id, snapshot.timer_revision, snapshot.group) == ("install-1", 7, None)
    assert (snapshot.matches_stack, snapshot.unreadable) == (False, None)


def test_a_revision_of_another_type_is_none() -> None:
    text = json.dumps({"installId": "install-1", "revision": "7"})

    assert read_snapshot({**TIMER, "Target": {**TARGET, "Input": text}}).timer_revision is None
