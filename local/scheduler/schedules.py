"""Reads the schedules of EventBridge Scheduler as any client does."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local.errors import StackError
from local.scheduler.expression import Cron, parse_cron

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_scheduler.type_defs import GetScheduleOutputTypeDef

_NAME = re.compile(r"[0-9a-zA-Z_.-]{1,64}")
_PLACEHOLDER = re.compile(r"<aws\.scheduler\.([a-z-]+)>")


@dataclass(frozen=True)
class LocalTimer:
    """A snapshot of an EventBridge schedule."""

    name: str
    arn: str
    modified_at: datetime
    expression: str
    timezone: str
    enabled: bool
    target_arn: str
    input: str = field(repr=False)
    cron: Cron = field(repr=False, compare=False)

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the first fire time after an instant; None if there is none."""
        return self.cron.next_after(instant, ZoneInfo(self.timezone)) if self.enabled else None

    def render_input(self, scheduled_time: datetime) -> str:
        """Return the target's input for one occurrence, with EventBridge's context attributes substituted."""
        values = {
            "scheduled-time": scheduled_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "schedule-arn": self.arn,
            "execution-id": str(uuid4()),
            "attempt-number": "1",
        }
        return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), self.input)


class TimerReader:
    """Reads the timers of a schedule group; each version of a schedule is read once."""

    def __init__(self, scheduler: EventBridgeSchedulerClient, group: str) -> None:
        self._scheduler = scheduler
        self._group = group
        self._cache: dict[str, LocalTimer] = {}

    def read_timers(self) -> dict[str, LocalTimer]:
        """Return all existing timers, by name."""
        timers = {}
        pages = self._scheduler.get_paginator("list_schedules").paginate(GroupName=self._group)
        for summary in (summary for page in pages for summary in page["Schedules"]):
            name, modified_at = summary["Name"], summary["LastModificationDate"]
            cached_timer = self._cache.get(name)
            timer = (
                cached_timer
                if cached_timer and cached_timer.modified_at == modified_at
                else self.read_timer(name)
            )
            if timer:
                timers[name] = timer
        self._cache = timers
        return timers

    def read_timer(self, name: str) -> LocalTimer | None:
        """Return the timer of a name, or None if it does not exist."""
        if not _NAME.fullmatch(name):
            return None
        try:
            schedule = self._scheduler.get_schedule(GroupName=self._group, Name=name)
        except self._scheduler.exceptions.ResourceNotFoundException:
            return None
        return _timer_from_schedule(schedule)


def _timer_from_schedule(schedule: GetScheduleOutputTypeDef) -> LocalTimer:
    expression, timezone = schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]
    try:
        cron = parse_cron(expression)
        ZoneInfo(timezone)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise StackError(f"EventBridge would refuse schedule {schedule['Name']}: {error}") from None
    return LocalTimer(
        name=schedule["Name"],
        arn=schedule["Arn"],
        modified_at=schedule["LastModificationDate"],
        expression=expression,
        timezone=timezone,
        enabled=schedule["State"] != "DISABLED",
        target_arn=schedule["Target"]["Arn"],
        input=schedule["Target"].get("Input", "{}"),
        cron=cron,
    )
