from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from local.scheduler.schedules import TimerReader

if TYPE_CHECKING:
    from local.cloudformation.clients import AwsClients

START = datetime(2026, 11, 23, 9, tzinfo=UTC)


TARGET: Any = {
    "Arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
    "RoleArn": "arn:aws:iam::123456789012:role/r",
    "Input": '{"at":"<aws.scheduler.scheduled-time>","x":"<aws.scheduler.other>"}',
}


@pytest.fixture
def group(aws: AwsClients) -> str:
    """A group with enough schedules for several pages."""
    name = f"group-{uuid4()}"
    aws.scheduler.create_schedule_group(Name=name)
    for number in range(60):
        aws.scheduler.create_schedule(
            Name=f"s{number}",
            GroupName=name,
            ScheduleExpression="cron(0 9 ? * MON-FRI *)",
            ScheduleExpressionTimezone="Europe/Berlin",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target=TARGET,
        )
    return name


def test_timers_are_read_from_eventbridge(aws: AwsClients, group: str) -> None:
    timers_by_name = TimerReader(aws.scheduler, group).read_timers()

    assert len(timers_by_name) == 60
    timer = timers_by_name["s7"]
    expression, zone = "cron(0 9 ? * MON-FRI *)", "Europe/Berlin"
    assert (timer.expression, timer.timezone, timer.enabled) == (expression, zone, True)
    assert timer.next_after(START) == datetime(2026, 11, 24, 8, tzinfo=UTC)
    assert json.loads(timer.render_input(START)) == {
        "at": "2026-11-23T09:00:00Z",
        "x": "<aws.scheduler.other>",
    }
    assert timer.render_message(START) == ""


def test_changed_timers_are_reread_and_others_reused(aws: AwsClients, group: str) -> None:
    timers = TimerReader(aws.scheduler, group)
    unchanged = timers.read_timers()["s7"]

    aws.scheduler.delete_schedule(GroupName=group, Name="s1")
    aws.scheduler.update_schedule(
        Name="s2",
        GroupName=group,
        State="DISABLED",
        ScheduleExpression="cron(0 9 * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=TARGET,
    )

    assert timers.read_timer("s1") is None
    changed = timers.read_timers()
    assert "s1" not in changed
    assert changed["s2"].next_after(START) is None
    assert changed["s7"] is unchanged


@pytest.mark.parametrize("name", ["never", "", "../x", "..", "a b/ü", "x" * 65, "s?x=1"], ids=ascii)
def test_absent_or_invalid_name_has_no_timer(aws: AwsClients, name: str) -> None:
    group = f"group-{uuid4()}"
    aws.scheduler.create_schedule_group(Name=group)
    assert TimerReader(aws.scheduler, group).read_timer(name) is None


def put_by_hand(aws: AwsClients, group: str, name: str, **changes: Any) -> None:
    """Create a schedule and update it without its state, which moto then lacks."""
    arguments: Any = {
        "Name": name,
        "GroupName": group,
        "ScheduleExpression": "cron(0 9 * * ? *)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": TARGET,
        **changes,
    }
    aws.scheduler.create_schedule(**arguments)
    aws.scheduler.update_schedule(**arguments)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param(
            {"ScheduleExpression": "cron(0 9 * * * *)"},
            "'cron(0 9 * * * *)' needs exactly one ? in its day fields",
            id="expression",
        ),
        pytest.param(
            {"ScheduleExpressionTimezone": "Nowhere/Land"},
            "'No time zone found with key Nowhere/Land'",
            id="zone",
        ),
        pytest.param({"ScheduleExpressionTimezone": "America"}, None, id="folder of zones"),
    ],
)
def test_timer_changed_by_hand_stops_no_other_and_is_logged_once(
    aws: AwsClients, caplog: pytest.LogCaptureFixture, changes: dict[str, str], reason: str | None
) -> None:
    group = f"group-{uuid4()}"
    aws.scheduler.create_schedule_group(Name=group)
    put_by_hand(aws, group, "good")
    put_by_hand(aws, group, "bad", **changes)
    reader = TimerReader(aws.scheduler, group)

    for _ in range(2):
        timers = reader.read_timers()
        assert list(timers) == ["good"]
        assert timers["good"].next_after(START) == datetime(2026, 11, 24, 9, tzinfo=UTC)

    assert reader.read_timer("bad") is None
    (message,) = [record.getMessage() for record in caplog.records if record.name == "local"]
    assert message.startswith("1 timers cannot be read and do not fire: bad (")
    assert reason is None or message.endswith(f"bad ({reason})")
