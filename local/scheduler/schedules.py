"""Reads the schedules of EventBridge Scheduler as any client does."""

from __future__ import annotations

import json
import logging
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4
from zoneinfo import ZoneInfo

from local.scheduler.expression import At, Cron, parse_expression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_scheduler.type_defs import FlexibleTimeWindowTypeDef, GetScheduleOutputTypeDef

logger = logging.getLogger("local")
_NAME = re.compile(r"[0-9a-zA-Z_.-]{1,64}")
_PLACEHOLDER = re.compile(r"<aws\.scheduler\.([a-z-]+)>")


@dataclass(frozen=True)
class LocalTimer:
    """A snapshot of an EventBridge schedule."""

    name: str
    arn: str
    created_at: datetime
    modified_at: datetime
    expression: str
    timezone: str
    enabled: bool
    target_arn: str
    dead_letter_arn: str | None
    deletes_itself: bool
    spread_minutes: int
    input: str = field(repr=False)
    rule: At | Cron = field(repr=False, compare=False)

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the first fire time after an instant; None if there is none."""
        return self.rule.next_after(instant, ZoneInfo(self.timezone)) if self.enabled else None

    def send_time(self, fire_time: datetime) -> datetime:
        """Return when the message of a fire is sent: in a flexible time window, at a minute that is always the same."""
        digest = sha256(f"{self.name} {fire_time.astimezone(UTC).isoformat()}".encode()).digest()
        return fire_time + timedelta(minutes=int.from_bytes(digest[:8]) % (self.spread_minutes + 1))

    def has_same_times(self, other: LocalTimer) -> bool:
        """Return whether the other is this timer with the same fire times, such as after a change of its window."""
        return all(
            getattr(self, name) == getattr(other, name)
            for name in ("created_at", "expression", "timezone", "enabled")
        )

    def render_input(self, scheduled_time: datetime) -> str:
        """Return the target's input for one occurrence, with EventBridge's context attributes substituted."""
        values = {
            "scheduled-time": scheduled_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "schedule-arn": self.arn,
            "execution-id": str(uuid4()),
            "attempt-number": "1",
        }
        return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), self.input)

    def render_message(self, scheduled_time: datetime) -> str:
        """Return the body of the message that the timer sends for one occurrence; empty if it sends none."""
        try:
            request = json.loads(self.render_input(scheduled_time))
        except ValueError:
            return ""
        return str(request.get("MessageBody", "")) if isinstance(request, dict) else ""


class UnreadableTimer(Exception):
    """EventBridge would refuse the schedule, which somebody has changed in the emulator."""


class TimerReader:
    """Reads the timers of a schedule group; each version of a schedule is read once."""

    def __init__(self, scheduler: EventBridgeSchedulerClient, group: str) -> None:
        self._scheduler = scheduler
        self._group = group
        self._cache: dict[str, LocalTimer | UnreadableTimer | None] = {}
        self._cached_versions: dict[str, datetime] = {}

    def read_timers(self) -> dict[str, LocalTimer]:
        """Return all timers that can be read, by name; log the names of the others once."""
        pages = self._scheduler.get_paginator("list_schedules").paginate(GroupName=self._group)
        versions = {
            summary["Name"]: summary["LastModificationDate"]
            for page in pages
            for summary in page["Schedules"]
        }
        timers = {
            name: self._cache[name] if self._cached_versions.get(name) == version else self._load_timer(name)
            for name, version in versions.items()
        }
        self._report_unreadable_timers(timers)
        self._cache, self._cached_versions = timers, versions
        return {name: timer for name, timer in timers.items() if isinstance(timer, LocalTimer)}

    def read_timer(self, name: str) -> LocalTimer | None:
        """Return the timer of a name, or None if it does not exist or cannot be read."""
        timer = self._load_timer(name) if _NAME.fullmatch(name) else None
        return timer if isinstance(timer, LocalTimer) else None

    def delete_timer(self, timer: LocalTimer) -> None:
        """Delete the timer, unless somebody has changed or deleted it meanwhile."""
        if self.read_timer(timer.name) != timer:
            return
        with suppress(self._scheduler.exceptions.ResourceNotFoundException):
            self._scheduler.delete_schedule(GroupName=self._group, Name=timer.name)

    def _load_timer(self, name: str) -> LocalTimer | UnreadableTimer | None:
        try:
            return _timer_from_schedule(self._scheduler.get_schedule(GroupName=self._group, Name=name))
        except self._scheduler.exceptions.ResourceNotFoundException:
            return None
        except UnreadableTimer as error:
            return error

    def _report_unreadable_timers(self, timers: Mapping[str, object]) -> None:
        unreadable = {name: timer for name, timer in timers.items() if isinstance(timer, UnreadableTimer)}
        if unreadable.items() - self._cache.items():
            reasons = "; ".join(f"{name} ({error})" for name, error in unreadable.items())
            logger.warning("%d timers cannot be read and do not fire: %s", len(unreadable), reasons)


def _read_window(window: FlexibleTimeWindowTypeDef) -> int:
    """Return the minutes of a flexible time window; 0 if there is none."""
    return 0 if window["Mode"] == "OFF" else window["MaximumWindowInMinutes"]


def _timer_from_schedule(schedule: GetScheduleOutputTypeDef) -> LocalTimer:
    """Convert a schedule, with EventBridge's defaults for what it lacks.

    Raises:
        UnreadableTimer: EventBridge would refuse it.
    """
    timezone = schedule.get("ScheduleExpressionTimezone") or "UTC"
    try:
        rule = parse_expression(schedule["ScheduleExpression"])
        ZoneInfo(timezone)
        target = schedule["Target"]
        return LocalTimer(
            name=schedule["Name"],
            arn=schedule["Arn"],
            created_at=schedule["CreationDate"],
            modified_at=schedule["LastModificationDate"],
            expression=schedule["ScheduleExpression"],
            timezone=timezone,
            enabled=schedule.get("State") != "DISABLED",
            target_arn=target["Arn"],
            dead_letter_arn=target.get("DeadLetterConfig", {}).get("Arn"),
            deletes_itself=schedule.get("ActionAfterCompletion") == "DELETE",
            spread_minutes=_read_window(schedule["FlexibleTimeWindow"]),
            input=target.get("Input") or "{}",
            rule=rule,
        )
    except (ValueError, KeyError, OSError) as error:  # ZoneInfo raises an OSError for the name of a folder
        raise UnreadableTimer(str(error)) from None
