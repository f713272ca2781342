"""A fake platform for an extension's own tests."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from extension_sdk.platform import Context
from extension_sdk.schedules import (
    UNSET,
    CreateResult,
    DeleteResult,
    Endpoint,
    Json,
    Schedule,
    UnsetType,
    UpdateResult,
)

_NAME_IN_USE = "Schedule name already in use for this extension"
_NOT_FOUND = "Schedule not found"


@dataclass
class FakeScheduler:
    """Stores schedules in memory. It checks that names are unique, but no cron rules or endpoints."""

    schedules: dict[str, Schedule] = field(default_factory=dict)
    endpoints: Sequence[Endpoint] = ()

    def list(self) -> Sequence[Schedule]:
        """Return all schedules, oldest first."""
        return tuple(self.schedules.values())

    def get(self, schedule_id: str) -> Schedule | None:
        """Return a schedule, or None."""
        return self.schedules.get(schedule_id)

    def create(
        self,
        endpoint: str,
        cron: str,
        *,
        timezone: str | None = None,
        enabled: bool | None = None,
        name: str | None = None,
        payload: Json = None,
    ) -> CreateResult:
        """Create a schedule."""
        if self._is_name_in_use(name):
            return CreateResult(_NAME_IN_USE, {"name": _NAME_IN_USE})
        schedule = Schedule(
            id=str(uuid.uuid4()),
            endpoint_path=_parse_path(endpoint),
            endpoint_method=_parse_method(endpoint, payload),
            cron=cron,
            timezone=timezone or "UTC",
            enabled=enabled is not False,
            name=name or None,
            payload=payload,
            created_at=datetime.now(UTC).isoformat(),
        )
        self.schedules[schedule.id] = schedule
        return CreateResult(schedule_id=schedule.id)

    def update(
        self,
        schedule_id: str,
        *,
        endpoint: str | UnsetType = UNSET,
        cron: str | UnsetType = UNSET,
        timezone: str | UnsetType = UNSET,
        enabled: bool | UnsetType = UNSET,
        name: str | UnsetType | None = UNSET,
        payload: Json | UnsetType = UNSET,
    ) -> UpdateResult:
        """Update the fields that are set."""
        schedule = self.schedules.get(schedule_id)
        if schedule is None:
            return UpdateResult(_NOT_FOUND)
        if name is not UNSET and name != schedule.name and self._is_name_in_use(name):
            return UpdateResult(_NAME_IN_USE, {"name": _NAME_IN_USE})
        changes: dict[str, Any] = {
            "cron": cron,
            "timezone": timezone,
            "enabled": enabled,
            "name": name,
            "payload": payload,
        }
        if endpoint is not UNSET:
            changes |= {
                "endpoint_path": _parse_path(endpoint),
                "endpoint_method": _parse_method(endpoint, payload),
            }
        changed_fields = {field: value for field, value in changes.items() if value is not UNSET}
        self.schedules[schedule_id] = replace(schedule, **changed_fields)
        return UpdateResult()

    def delete(self, schedule_id: str) -> DeleteResult:
        """Delete a schedule."""
        absent = self.schedules.pop(schedule_id, None) is None
        return DeleteResult(_NOT_FOUND if absent else None)

    def get_endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoints that the test has set."""
        return self.endpoints

    def _is_name_in_use(self, name: str | None) -> bool:
        return bool(name) and any(schedule.name == name for schedule in self.schedules.values())


@dataclass
class FakeLog:
    """Stores log messages as (level, message)."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def info(self, message: str) -> None:
        """Store a message of level info."""
        self.lines.append(("info", message))

    def warn(self, message: str) -> None:
        """Store a message of level warn."""
        self.lines.append(("warn", message))

    def error(self, message: str) -> None:
        """Store a message of level error."""
        self.lines.append(("error", message))


@dataclass
class FakeHost:
    """A platform for tests: `host.connect(FakeHost())`."""

    context: Context = field(default_factory=lambda: Context("tenant", "extension", "install"))
    scheduler: FakeScheduler = field(default_factory=FakeScheduler)
    log: FakeLog = field(default_factory=FakeLog)


def _parse_path(endpoint: str) -> str:
    return endpoint.rpartition(" ")[2]


def _parse_method(endpoint: str, payload: Json) -> str:
    return endpoint.partition(" ")[0] if " " in endpoint else "GET" if payload in (None, UNSET) else "POST"
