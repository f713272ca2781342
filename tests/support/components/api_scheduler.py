"""The SDK's scheduler over the reference runner's host interface, without a component."""

import json
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from extension_sdk._outcomes import parse_outcome
from extension_sdk.errors import ERRORS_BY_CODE
from extension_sdk.scheduler import Scheduler
from extension_sdk.schedules import CreateResult, DeleteResult, Endpoint, Schedule, UpdateResult
from wasmtime.component import Record

from runner.host.callback import SchedulerCallback
from runner.host.records import build_record
from runner.host.scheduler import HostScheduler


class ApiScheduler(Scheduler):
    """Calls the API as a runner does on behalf of an extension."""

    def __init__(self, url: str, auth_token: str, install_id: str) -> None:
        callback = SchedulerCallback(url, auth_token)
        deadline = time.monotonic() + 600
        self._host = HostScheduler(
            partial(callback.post_operation, install_id, deadline=deadline, callback_token=None),
            max_calls=10_000,
        )

    def _list_schedules(self) -> Sequence[Schedule]:
        return [_parse_schedule(record) for record in _unwrap(self._host.list_schedules())]

    def _get_schedule(self, schedule_id: str) -> Schedule | None:
        record = _unwrap(self._host.get_schedule(schedule_id))
        return None if record is None else _parse_schedule(record)

    def _get_endpoints(self) -> Sequence[Endpoint]:
        return [Endpoint(**_fields(record)) for record in _unwrap(self._host.get_endpoints())]

    def _create_schedule(self, schedule_input: Mapping[str, Any]) -> CreateResult:
        result = _fields(self._host.create_schedule(build_record(**schedule_input)))
        return CreateResult(**_outcome(result), schedule_id=result["schedule_id"])

    def _update_schedule(self, schedule_id: str, schedule_input: Mapping[str, Any]) -> UpdateResult:
        return UpdateResult(
            **_outcome(_fields(self._host.update_schedule(schedule_id, build_record(**schedule_input))))
        )

    def _delete_schedule(self, schedule_id: str) -> DeleteResult:
        return DeleteResult(**_outcome(_fields(self._host.delete_schedule(schedule_id))))


def _unwrap(result: Any) -> Any:
    if isinstance(result, str):
        raise ERRORS_BY_CODE[result](f"The scheduler answered {result}")
    return result


def _fields(record: Record) -> dict[str, Any]:
    return {name.replace("-", "_"): value for name, value in vars(record).items()}


def _outcome(result: Mapping[str, Any]) -> Mapping[str, Any]:
    return {} if result["success"] else parse_outcome(result["error"], result["field_errors"])


def _parse_schedule(record: Record) -> Schedule:
    fields = _fields(record)
    payload = fields.pop("payload")
    return Schedule(**fields, payload=None if payload is None else json.loads(payload))
