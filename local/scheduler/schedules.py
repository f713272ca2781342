"""The schedules that stand in EventBridge Scheduler, read as any client reads them."""

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
class Timer:
    """One EventBridge schedule, as it stood when it was read."""

    name: str
    arn: str
    modified: datetime
    expression: str
    timezone: str
    enabled: bool
    target: str
    input: str = field(repr=False)
    cron: Cron = field(repr=False, compare=False)

    def next_after(self, instant: datetime) -> datetime | None:
        """The first time after an instant at which it fires; None if it never does."""
        return self.cron.next_after(instant, ZoneInfo(self.timezone)) if self.enabled else None

    def input_for(self, scheduled_time: datetime) -> str:
        """The target's input for one occurrence, with EventBridge's placeholders filled in."""
        values = {
            "scheduled-time": scheduled_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "schedule-arn": self.arn,
            "execution-id": str(uuid4()),
            "attempt-number": "1",
        }
        return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), self.input)


class Timers:
    """Reads the timers of one schedule group; each version of a schedule is read once."""

    def __init__(self, scheduler: EventBridgeSchedulerClient, group: str) -> None:
        self._scheduler = scheduler
        self._group = group
        self._known: dict[str, Timer] = {}

    def look(self) -> dict[str, Timer]:
        """Every timer that stands now, by name."""
        standing = {}
        pages = self._scheduler.get_paginator("list_schedules").paginate(GroupName=self._group)
        for summary in (summary for page in pages for summary in page["Schedules"]):
            name, modified = summary["Name"], summary["LastModificationDate"]
            known = self._known.get(name)
            timer = known if known and known.modified == modified else self.get(name)
            if timer:
                standing[name] = timer
        self._known = standing
        return standing

    def get(self, name: str) -> Timer | None:
        """The timer of that name as it stands now, if it does."""
        if not _NAME.fullmatch(name):
            return None
        try:
            found = self._scheduler.get_schedule(GroupName=self._group, Name=name)
        except self._scheduler.exceptions.ResourceNotFoundException:
            return None
        return _timer(found)


def _timer(found: GetScheduleOutputTypeDef) -> Timer:
    expression, timezone = found["ScheduleExpression"], found["ScheduleExpressionTimezone"]
    try:
        cron = parse_cron(expression)
        ZoneInfo(timezone)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise StackError(f"EventBridge would refuse schedule {found['Name']}: {error}") from None
    return Timer(
        name=found["Name"],
        arn=found["Arn"],
        modified=found["LastModificationDate"],
        expression=expression,
        timezone=timezone,
        enabled=found["State"] != "DISABLED",
        target=found["Target"]["Arn"],
        input=found["Target"].get("Input", "{}"),
        cron=cron,
    )
