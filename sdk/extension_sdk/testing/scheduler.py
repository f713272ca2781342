"""A scheduler in memory, with the service's rules, limits and texts."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from extension_sdk_rules import exact_json
from extension_sdk_rules.errors import (
    QuotaExceeded,
    RateLimited,
    ScheduleNotFound,
    SchedulingError,
    ValidationFailed,
)
from extension_sdk_rules.ids import ScheduleIdGenerator, parse_schedule_id
from extension_sdk_rules.install import Limits
from extension_sdk_rules.rules import ScheduleInput, ScheduleRules, requested_name
from extension_sdk_rules.schedule import Definition
from extension_sdk_rules.window import RateLimitWindow

from extension_sdk._outcomes import parse_outcome
from extension_sdk.errors import ERRORS_BY_CODE
from extension_sdk.scheduler import Scheduler
from extension_sdk.schedules import CreateResult, DeleteResult, Endpoint, Schedule, UpdateResult
from extension_sdk.testing.manifest import Manifest

Clock = Callable[[], datetime]
R = TypeVar("R", CreateResult, UpdateResult, DeleteResult)
_DENIED_TEXT = "Permission denied: cap:scheduler.manage not granted"


@dataclass
class FakeScheduler(Scheduler):
    """Stores schedules in memory, and accepts and refuses what the service accepts and refuses.

    Attributes:
        manifest: The endpoints that schedules may use, and whether the extension may schedule.
        clock: The time, for one-time rules and for the limit of writes per minute.
        limits: The limits of the install; the defaults are the service's.
        reasons: False to refuse as deployed runners that do not pass on why: the result has a `code` only.
        schedules: The schedules by id, oldest first.
    """

    manifest: Manifest
    clock: Clock
    limits: Limits = field(default_factory=Limits)
    reasons: bool = True
    schedules: dict[str, Schedule] = field(default_factory=dict)
    _window: RateLimitWindow = field(default_factory=RateLimitWindow)
    _ids: ScheduleIdGenerator = field(default_factory=ScheduleIdGenerator)
    _failure: str | None = None
    _calls_before_failure: int = 0

    def fail_with(self, code: str, *, after: int = 0) -> None:
        """Let calls fail from now on, until `recover`.

        Args:
            code: `denied`, `validation-failed`, `quota-exceeded` (rate-limited), `not-found` or `internal`.
            after: How many calls are still answered.
        """
        if code not in ERRORS_BY_CODE:
            raise ValueError(f"unknown code {code!r}: use one of {', '.join(ERRORS_BY_CODE)}")
        self._failure, self._calls_before_failure = code, after

    def recover(self) -> None:
        """Answer calls again."""
        self._failure = None

    def _list_schedules(self) -> Sequence[Schedule]:
        self._raise_failure()
        return tuple(self.schedules.values())

    def _get_schedule(self, schedule_id: str) -> Schedule | None:
        self._raise_failure()
        key = parse_schedule_id(schedule_id.strip())
        if key is None:
            raise ERRORS_BY_CODE["validation-failed"]("The scheduler answered validation-failed")
        return self.schedules.get(key)

    def _get_endpoints(self) -> Sequence[Endpoint]:
        self._raise_failure()
        return [
            Endpoint(**asdict(endpoint), schedulable=endpoint.schedulable)
            for endpoint in self.manifest.endpoints
        ]

    def _create_schedule(self, schedule_input: Mapping[str, Any]) -> CreateResult:
        return self._change(CreateResult, lambda: self._insert(schedule_input))

    def _update_schedule(self, schedule_id: str, schedule_input: Mapping[str, Any]) -> UpdateResult:
        return self._change(UpdateResult, lambda: self._replace(schedule_id, schedule_input))

    def _delete_schedule(self, schedule_id: str) -> DeleteResult:
        return self._change(DeleteResult, lambda: self._remove(schedule_id))

    def _change(self, result_type: type[R], change: Callable[[], R]) -> R:
        if code := self._next_failure():
            return result_type(**parse_outcome(_bare_case(code), None))
        if not self.manifest.may_schedule:
            return result_type(_DENIED_TEXT)
        try:
            return change()
        except SchedulingError as error:
            if self.reasons:
                return result_type(str(error), error.field_errors)
            code = "quota-exceeded" if isinstance(error, RateLimited) else "validation-failed"
            return result_type(**parse_outcome(_bare_case(code), None))

    def _insert(self, schedule_input: Mapping[str, Any]) -> CreateResult:
        checked = _parse_input(schedule_input)
        definition = self._rules(checked).build_definition(checked)
        if len(self.schedules) >= self.limits.max_schedules_per_install:
            raise QuotaExceeded(self.limits.max_schedules_per_install)
        self._count_write()
        now = self.clock()
        schedule_id = self._ids.new_id(now)
        created_at = now.astimezone(UTC).isoformat("T", "milliseconds").replace("+00:00", "Z")
        self.schedules[schedule_id] = Schedule(
            id=schedule_id, **_schedule_fields(definition), created_at=created_at
        )
        return CreateResult(schedule_id=schedule_id)

    def _replace(self, schedule_id: str, schedule_input: Mapping[str, Any]) -> UpdateResult:
        schedule = self._require_schedule(schedule_id)
        checked = _parse_input(schedule_input)
        rules = self._rules(checked, schedule.id)
        definition = rules.update_definition(_read_definition(schedule), checked)
        self._count_write()
        self.schedules[schedule.id] = replace(schedule, **_schedule_fields(definition))
        return UpdateResult()

    def _remove(self, schedule_id: str) -> DeleteResult:
        schedule = self._require_schedule(schedule_id)
        self._count_write()
        del self.schedules[schedule.id]
        return DeleteResult()

    def _rules(self, checked: ScheduleInput, schedule_id: str | None = None) -> ScheduleRules:
        name = requested_name(checked)
        taken = name is not None and any(
            other.name == name and other.id != schedule_id for other in self.schedules.values()
        )
        return ScheduleRules(self.manifest.endpoints, self.limits, self.clock(), name_taken=taken)

    def _require_schedule(self, schedule_id: str) -> Schedule:
        key = parse_schedule_id(schedule_id.strip())
        if key is None:
            raise ValidationFailed.from_field_errors({"scheduleId": "Invalid scheduleId"})
        if key not in self.schedules:
            raise ScheduleNotFound
        return self.schedules[key]

    def _count_write(self) -> None:
        self._window = self._window.with_write(self.limits.writes_per_minute, self.clock())

    def _raise_failure(self) -> None:
        code = self._next_failure() or (None if self.manifest.may_schedule else "denied")
        if code:
            raise ERRORS_BY_CODE[code](f"The scheduler answered {code}")

    def _next_failure(self) -> str | None:
        if self._failure and self._calls_before_failure > 0:
            self._calls_before_failure -= 1
            return None
        return self._failure


def _bare_case(code: str) -> str:
    return f'SchedulerError {{ code: 0, name: "{code}", message: "" }}'


def _parse_input(schedule_input: Mapping[str, Any]) -> ScheduleInput:
    fields = {name: value for name, value in schedule_input.items() if value is not None}
    if "payload" in fields:
        fields["payload"] = exact_json.loads(fields["payload"])
    return ScheduleInput(fields)  # type: ignore[arg-type]  # the SDK has checked the types


def _read_definition(schedule: Schedule) -> Definition:
    payload = None if schedule.payload is None else exact_json.dumps(schedule.payload)
    return Definition(
        endpoint_method=schedule.endpoint_method,
        endpoint_path=schedule.endpoint_path,
        cron=schedule.cron,
        timezone=schedule.timezone,
        enabled=schedule.enabled,
        name=schedule.name,
        payload=payload,
    )


def _schedule_fields(definition: Definition) -> dict[str, Any]:
    return {
        "endpoint_path": definition.endpoint_path,
        "endpoint_method": definition.endpoint_method,
        "cron": definition.cron,
        "timezone": definition.timezone,
        "enabled": definition.enabled,
        "name": definition.name,
        "payload": None if definition.payload is None else json.loads(definition.payload),
    }
