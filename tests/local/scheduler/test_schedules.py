from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from local.errors import StackError
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


def test_schedule_refused_by_eventbridge_is_an_error(aws: AwsClients) -> None:
    group = f"group-{uuid4()}"
    aws.scheduler.create_schedule_group(Name=group)
    aws.scheduler.create_schedule(
        Name="bad",
        GroupName=group,
        ScheduleExpression="cron(0 9 * * * *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
            "RoleArn": "arn:aws:iam::1:role/r",
        },
    )
    with pytest.raises(StackError, match=r"EventBridge would refuse schedule bad: .* exactly one"):
        TimerReader(aws.scheduler, group).read_timers()
