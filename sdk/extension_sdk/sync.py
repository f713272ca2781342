"""Declared schedules: what has to change until the install has them."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from extension_sdk._boundary import check_text
from extension_sdk._json import dump_json
from extension_sdk.errors import QuotaExceeded
from extension_sdk.schedules import Endpoint, Json, Result, Schedule

NAME_TAKEN_TEXT = "Schedule name already in use for this extension"
RATE_LIMITED_TEXT = "Too many requests, please try again later"
Action = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class DesiredSchedule:
    """A schedule as it should be, identified by its name; `enabled` None leaves it as it is."""

    name: str
    endpoint: str
    cron: str
    timezone: str = "UTC"
    enabled: bool | None = None
    payload: Json = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the plan; `fields` are the arguments of the scheduler's function besides the id."""

    action: Action
    name: str
    schedule_id: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class SyncReport:
    """What `sync` has done, by the schedules' names; in a dry run, what it would do."""

    unchanged: list[str]
    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    remaining: list[str] = field(default_factory=list)
    """Not done yet, because the limit of changes per minute is reached: call `sync` again in a minute."""
    refused: dict[str, Result] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether nothing remains and nothing was refused."""
        return not self.remaining and not self.refused

    def raise_for_error(self) -> None:
        """Raise the first refusal.

        Raises:
            ScheduleRejected: The scheduler refused a change.
        """
        for result in self.refused.values():
            result.raise_for_error()

    def as_json(self) -> dict[str, Json]:
        """Return the report as a JSON value."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return {**fields, "refused": {name: result.error for name, result in self.refused.items()}}

    def add(self, change: Change, result: Result | None) -> None:
        """Add a change and its result; None if it was not attempted."""
        if change.name in self.unchanged:
            self.unchanged.remove(change.name)
        if self.remaining or (result is not None and _is_rate_limited(result)):
            self.remaining.append(change.name)
        elif result is None or result.success:
            {"create": self.created, "update": self.updated, "delete": self.deleted}[change.action].append(
                change.name
            )
        elif change.action == "create" and result.field_errors == {"name": NAME_TAKEN_TEXT}:
            self.unchanged.append(change.name)  # a concurrent call has created it
        else:
            self.refused[change.name] = result


def _is_rate_limited(result: Result) -> bool:
    # A deployed runner passes on the case, the reference runner the text.
    return result.code == QuotaExceeded.code or result.error == RATE_LIMITED_TEXT


def plan_changes(
    desired: Sequence[DesiredSchedule],
    existing: Sequence[Schedule],
    endpoints: Sequence[Endpoint],
    *,
    prune: bool,
) -> list[Change]:
    """Return the changes that are needed: deletions first, so that the others have room.

    Args:
        desired: The declared schedules.
        existing: All schedules of the install. One without a name is left alone.
        endpoints: The endpoints of the installed version; needed if a desired endpoint names no method.
        prune: Whether to delete named schedules that are not declared.

    Raises:
        ValueError: A name is empty or declared twice.
    """
    names = [check_text("name", each.name).strip() for each in desired]
    if not all(names):
        raise ValueError("a declared schedule needs a name")
    if duplicates := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"schedule {duplicates[0]!r} is declared twice")
    by_name = {schedule.name: schedule for schedule in existing if schedule.name}
    deletions = [
        Change("delete", name, schedule.id) for name, schedule in by_name.items() if name not in names
    ]
    changes = deletions if prune else []
    for name, each in zip(names, desired, strict=True):
        if name not in by_name:
            changes.append(Change("create", name, None, _create_fields(name, each)))
        elif fields := dict(_differences(each, by_name[name], endpoints)):
            changes.append(Change("update", name, by_name[name].id, fields))
    return changes


def _create_fields(name: str, desired: DesiredSchedule) -> dict[str, Any]:
    fields = {"endpoint": desired.endpoint, "cron": desired.cron, "timezone": desired.timezone}
    return {**fields, "enabled": desired.enabled, "name": name, "payload": desired.payload}


def _differences(
    desired: DesiredSchedule, existing: Schedule, endpoints: Sequence[Endpoint]
) -> Iterator[tuple[str, Any]]:
    if not _is_same_endpoint(desired, existing, endpoints):
        yield "endpoint", desired.endpoint
    if desired.cron.upper().split() != existing.cron.upper().split():
        yield "cron", desired.cron
    if (desired.timezone or "UTC").casefold() != existing.timezone.casefold():
        yield "timezone", desired.timezone
    if desired.enabled not in (None, existing.enabled):
        yield "enabled", desired.enabled
    if not are_equal_values(json.loads(dump_json(desired.payload)), existing.payload):
        yield "payload", desired.payload


def _is_same_endpoint(desired: DesiredSchedule, existing: Schedule, endpoints: Sequence[Endpoint]) -> bool:
    method, _, path = desired.endpoint.strip().rpartition(" ")
    path = re.sub("/{2,}", "/", f"/{path}")
    if not method:
        methods = [each.method for each in endpoints if each.path == path and each.schedulable]
        preferred = "GET" if desired.payload is None else "POST"
        method = preferred if preferred in methods or not methods else methods[0]
    return (method.strip().upper(), path) == (existing.endpoint_method, existing.endpoint_path)


def are_equal_values(left: Json, right: Json) -> bool:
    """Whether two values are the same JSON: true is not 1, and 2.50 is 2.5, as runners may write it."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(are_equal_values(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(are_equal_values, left, right))
    return bool(left == right)
