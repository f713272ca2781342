"""A fake platform for an extension's own tests."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from extension_sdk.platform import Context, Log
from extension_sdk.scheduler import Scheduler
from extension_sdk.schedules import CreateResult, DeleteResult, Endpoint, Json, Schedule, UpdateResult

_NAME_IN_USE = "Schedule name already in use for this extension"
_NOT_FOUND = "Schedule not found"


@dataclass
class FakeScheduler(Scheduler):
    """Stores schedules in memory. It checks that names are unique, but no cron rules or endpoints."""

    schedules: dict[str, Schedule] = field(default_factory=dict)
    endpoints: Sequence[Endpoint] = ()

    def _list_schedules(self) -> Sequence[Schedule]:
        return tuple(self.schedules.values())

    def _get_schedule(self, schedule_id: str) -> Schedule | None:
        return self.schedules.get(schedule_id)

    def _create_schedule(self, schedule_input: Mapping[str, Any]) -> CreateResult:
        name = schedule_input["name"] or None
        if self._is_name_in_use(name):
            return CreateResult(_NAME_IN_USE, {"name": _NAME_IN_USE})
        payload = json.loads(schedule_input["payload"] or "null")
        schedule = Schedule(
            id=str(uuid.uuid4()),
            **_parse_endpoint(schedule_input["endpoint"], payload),
            cron=schedule_input["cron"],
            timezone=schedule_input["timezone"] or "UTC",
            enabled=schedule_input["enabled"] is not False,
            name=name,
            payload=payload,
            created_at=datetime.now(UTC).isoformat(),
        )
        self.schedules[schedule.id] = schedule
        return CreateResult(schedule_id=schedule.id)

    def _update_schedule(self, schedule_id: str, schedule_input: Mapping[str, Any]) -> UpdateResult:
        schedule = self.schedules.get(schedule_id)
        if schedule is None:
            return UpdateResult(_NOT_FOUND)
        changes = {field: value for field, value in schedule_input.items() if value is not None}
        if "payload" in changes:
            changes["payload"] = json.loads(changes["payload"])
        if "name" in changes:
            changes["name"] = changes["name"] or None
            if changes["name"] != schedule.name and self._is_name_in_use(changes["name"]):
                return UpdateResult(_NAME_IN_USE, {"name": _NAME_IN_USE})
        if "endpoint" in changes:
            changes |= _parse_endpoint(changes.pop("endpoint"), changes.get("payload"))
        self.schedules[schedule_id] = replace(schedule, **changes)
        return UpdateResult()

    def _delete_schedule(self, schedule_id: str) -> DeleteResult:
        absent = self.schedules.pop(schedule_id, None) is None
        return DeleteResult(_NOT_FOUND if absent else None)

    def _get_endpoints(self) -> Sequence[Endpoint]:
        return self.endpoints

    def _is_name_in_use(self, name: str | None) -> bool:
        return bool(name) and any(schedule.name == name for schedule in self.schedules.values())


@dataclass
class FakeLog(Log):
    """Stores log messages as (level, message)."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def _log_info(self, message: str) -> None:
        self.lines.append(("info", message))

    def _log_warn(self, message: str) -> None:
        self.lines.append(("warn", message))

    def _log_error(self, message: str) -> None:
        self.lines.append(("error", message))


@dataclass
class FakeHost:
    """A platform for tests: `host.connect(FakeHost())`."""

    context: Context = field(default_factory=lambda: Context("tenant", "extension", "install"))
    scheduler: FakeScheduler = field(default_factory=FakeScheduler)
    log: FakeLog = field(default_factory=FakeLog)


def _parse_endpoint(endpoint: str, payload: Json) -> dict[str, str]:
    method, _, path = endpoint.rpartition(" ")
    return {"endpoint_path": path, "endpoint_method": method or ("GET" if payload is None else "POST")}
