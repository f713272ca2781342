"""The runner's callback: one route, six operations, answers exactly as deployed runners know them (section 1)."""

from collections.abc import Callable, Mapping

from scheduling.api.boundary import boundary
from scheduling.api.http import Answer, Request, answer, fitted
from scheduling.api.observability import logger
from scheduling.api.parsing import refuse_unknown, required_schedule_id, schedule_input
from scheduling.api.problems import callback_status, retry_headers
from scheduling.api.rendering import compact, endpoint_fields, schedule_json, schedules_json
from scheduling.domain.errors import InstallNotFound, ScheduleNotFound, SchedulingError, ValidationFailed
from scheduling.domain.ids import InstallId, parse_schedule_id
from scheduling.operations.schedules.create import create
from scheduling.operations.schedules.delete import delete
from scheduling.operations.schedules.queries import get_schedule, list_endpoints, list_schedules
from scheduling.operations.schedules.update import update
from scheduling.operations.services import Services

Body = Mapping[str, object]
_SUCCESS = {"success": True}


def _list(services: Services, install_id: InstallId, body: Body) -> Answer:
    refuse_unknown(body, ())
    page = list_schedules(services, install_id)
    return answer(200, f'{{"schedules":{schedules_json(page.schedules)}}}')


def _get(services: Services, install_id: InstallId, body: Body) -> Answer:
    schedule_id = required_schedule_id(body)
    refuse_unknown(body, {"scheduleId"})
    try:
        found = schedule_json(get_schedule(services, install_id, schedule_id))
    except ScheduleNotFound:
        found = "null"
    return answer(200, f'{{"schedule":{found}}}')


def _create(services: Services, install_id: InstallId, body: Body) -> Answer:
    schedule = create(services, install_id, schedule_input(body))
    return answer(201, compact(_SUCCESS | {"scheduleId": schedule.id}))


def _update(services: Services, install_id: InstallId, body: Body) -> Answer:
    schedule_id = required_schedule_id(body)
    fields = {name: value for name, value in body.items() if name != "scheduleId"}
    update(services, install_id, schedule_id, schedule_input(fields))
    return answer(200, compact(_SUCCESS))


def _delete(services: Services, install_id: InstallId, body: Body) -> Answer:
    schedule_id = required_schedule_id(body)
    refuse_unknown(body, {"scheduleId"})
    delete(services, install_id, schedule_id)
    return answer(200, compact(_SUCCESS))


def _get_endpoints(services: Services, install_id: InstallId, body: Body) -> Answer:
    refuse_unknown(body, ())
    endpoints = list_endpoints(services, install_id)
    return answer(200, compact({"endpoints": [endpoint_fields(endpoint) for endpoint in endpoints]}))


_OPERATIONS: Mapping[str, Callable[[Services, InstallId, Body], Answer]] = {
    "list": _list,
    "get": _get,
    "create": _create,
    "update": _update,
    "delete": _delete,
    "getEndpoints": _get_endpoints,
}


def call(services: Services, request: Request) -> Answer:
    """Do what the body says. Raises SchedulingError."""
    body = request.json_object()
    name = body.pop("operation", None)
    operation = _OPERATIONS.get(name) if isinstance(name, str) else None
    if operation is None:
        text = "operation is required" if name is None else "Unknown operation"
        raise ValidationFailed.of({"operation": text})
    request.operation = f"callback.{name}"
    logger.append_keys(operation=request.operation, schedule_id=_shown_id(body.get("scheduleId")))
    plain = operation(services, request.install_id, body)
    paged = f"GET /v1/installs/{request.install_id}/schedules"
    return fitted(plain, request, f"The answer is too large; accept gzip, or page through {paged}")


def _shown_id(value: object) -> str | None:
    """For the log, whose reader it must not mislead: nothing but an id."""
    return parse_schedule_id(value.strip()) if isinstance(value, str) else None


def explain(error: SchedulingError) -> Answer:
    """The answer of an error, in the callback's form."""
    status = callback_status(error)
    if isinstance(error, InstallNotFound):
        return answer(404, compact({"error": str(error), "code": error.code}))
    if status == 500:
        return answer(500, compact({"error": "Internal error", "code": "INTERNAL_ERROR"}))
    body: dict[str, object] = {"success": False, "error": str(error)}
    if error.field_errors:
        body["fieldErrors"] = error.field_errors
    return answer(status, compact(body | {"code": error.code}), retry_headers(error))


callback = boundary(explain)
