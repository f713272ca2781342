"""The platform inside a component: the bindings that componentize-py generates from `wit/extension.wit`.

They exist only while a component is built and run, so nothing else may import this module.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from componentize_py_types import Err  # type: ignore[import-not-found]  # made by componentize-py
from wit_world.imports import context, logging, scheduler  # type: ignore[import-not-found]  # likewise
from wit_world.imports.types import (  # type: ignore[import-not-found]  # likewise
    CreateScheduleInput,
    UpdateScheduleInput,
)

from extension_sdk.errors import ERRORS_BY_CODE, SchedulerInternalError
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

T = TypeVar("T")


class WasmScheduler:
    """The host interface `scheduler`."""

    def list(self) -> Sequence[Schedule]:
        """All schedules, oldest first."""
        return [_parse_schedule(info) for info in _call_host(scheduler.list_schedules)]

    def get(self, schedule_id: str) -> Schedule | None:
        """One schedule, or None."""
        info = _call_host(lambda: scheduler.get_schedule(schedule_id))
        return None if info is None else _parse_schedule(info)

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
        text = None if payload is None else _dump_json(payload)
        schedule_input = CreateScheduleInput(endpoint, cron, timezone, enabled, name, text)
        result = scheduler.create_schedule(schedule_input)
        return CreateResult(**_parse_outcome(result), schedule_id=result.schedule_id)

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
        """Change what is given."""
        schedule_input = UpdateScheduleInput(
            _none_if_unset(endpoint),
            _none_if_unset(cron),
            _none_if_unset(timezone),
            _none_if_unset(enabled),
            "" if name is None else _none_if_unset(name),
            "" if payload is None else None if payload is UNSET else _dump_json(payload),
        )
        return UpdateResult(**_parse_outcome(scheduler.update_schedule(schedule_id, schedule_input)))

    def delete(self, schedule_id: str) -> DeleteResult:
        """Delete a schedule."""
        return DeleteResult(**_parse_outcome(scheduler.delete_schedule(schedule_id)))

    def get_endpoints(self) -> Sequence[Endpoint]:
        """The endpoints of the installed version."""
        return [Endpoint(**asdict(info)) for info in _call_host(scheduler.get_endpoints)]


class WasmLog:
    """The host interface `logging`."""

    def info(self, message: str) -> None:
        """Log at level info."""
        logging.log_info(message)

    def warn(self, message: str) -> None:
        """Log at level warn."""
        logging.log_warn(message)

    def error(self, message: str) -> None:
        """Log at level error."""
        logging.log_error(message)


class WasmPlatform:
    """All host interfaces that the SDK knows."""

    scheduler = WasmScheduler()
    log = WasmLog()

    @property
    def context(self) -> Context:
        """The host interface `context`."""
        return Context(**asdict(context.get_context()))


def _call_host(function: Callable[[], T]) -> T:
    try:
        return function()
    except Err as error:
        code = error.value.name.lower().replace("_", "-")
        raise ERRORS_BY_CODE.get(code, SchedulerInternalError)(f"The scheduler answered {code}") from error


def _parse_schedule(info: Any) -> Schedule:
    fields = asdict(info)
    payload = fields.pop("payload")
    return Schedule(**fields, payload=None if payload is None else json.loads(payload))


def _parse_outcome(result: Any) -> dict[str, Any]:
    """The fields that every result has."""
    if result.success:
        return {}
    field_errors = getattr(result, "field_errors", None)
    return {
        "error": result.error or "The scheduler gave no reason",
        "field_errors": json.loads(field_errors) if field_errors else {},
    }


def _none_if_unset(value: T | UnsetType) -> T | None:
    return None if value is UNSET else value


def _dump_json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
