"""The runner's callback: one route, six operations, answers exactly as deployed runners know them (section 1)."""

from collections.abc import Callable, Mapping

from scheduling.api.boundary import boundary
from scheduling.api.http import Request, Response, compress_if_needed, json_response
from scheduling.api.observability import logger
from scheduling.api.parsing import parse_schedule_input, refuse_unknown_fields, schedule_id_from_body
from scheduling.api.problems import callback_status, retry_headers
from scheduling.api.rendering import dump_json, endpoint_fields, schedule_json, schedules_json
from scheduling.domain.errors import InstallNotFound, ScheduleNotFound, SchedulingError, ValidationFailed
from scheduling.domain.ids import InstallId, parse_schedule_id
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule, list_endpoints, list_schedules
from scheduling.operations.schedules.update import update_schedule
from scheduling.operations.services import Services

Body = Mapping[str, object]
_SUCCESS = {"success": True}


def _list_schedules(services: Services, install_id: InstallId, body: Body) -> Response:
    refuse_unknown_fields(body, ())
    page = list_schedules(services, install_id)
    return json_response(200, f'{{"schedules":{schedules_json(page.schedules)}}}')


def _get_schedule(services: Services, install_id: InstallId, body: Body) -> Response:
    schedule_id = schedule_id_from_body(body)
    refuse_unknown_fields(body, {"scheduleId"})
    try:
        schedule_text = schedule_json(get_schedule(services, install_id, schedule_id))
    except ScheduleNotFound:
        schedule_text = "null"
    return json_response(200, f'{{"schedule":{schedule_text}}}')


def _create_schedule(services: Services, install_id: InstallId, body: Body) -> Response:
    schedule = create_schedule(services, install_id, parse_schedule_input(body))
    return json_response(201, dump_json(_SUCCESS | {"scheduleId": schedule.id}))


def _update_schedule(services: Services, install_id: InstallId, body: Body) -> Response:
    schedule_id = schedule_id_from_body(body)
    fields = {name: value for name, value in body.items() if name != "scheduleId"}
    update_schedule(services, install_id, schedule_id, parse_schedule_input(fields))
    return json_response(200, dump_json(_SUCCESS))


def _delete_schedule(services: Services, install_id: InstallId, body: Body) -> Response:
    schedule_id = schedule_id_from_body(body)
    refuse_unknown_fields(body, {"scheduleId"})
    delete_schedule(services, install_id, schedule_id)
    return json_response(200, dump_json(_SUCCESS))


def _get_endpoints(services: Services, install_id: InstallId, body: Body) -> Response:
    refuse_unknown_fields(body, ())
    endpoints = list_endpoints(services, install_id)
    return json_response(200, dump_json({"endpoints": [endpoint_fields(endpoint) for endpoint in endpoints]}))


_OPERATIONS: Mapping[str, Callable[[Services, InstallId, Body], Response]] = {
    "list": _list_schedules,
    "get": _get_schedule,
    "create": _create_schedule,
    "update": _update_schedule,
    "delete": _delete_schedule,
    "getEndpoints": _get_endpoints,
}


def dispatch_operation(services: Services, request: Request) -> Response:
    """Do what the body says. Raises SchedulingError."""
    body = request.parse_json_body()
    name = body.pop("operation", None)
    operation = _OPERATIONS.get(name) if isinstance(name, str) else None
    if operation is None:
        text = "operation is required" if name is None else "Unknown operation"
        raise ValidationFailed.from_field_errors({"operation": text})
    request.operation = f"callback.{name}"
    logger.append_keys(operation=request.operation, schedule_id=_loggable_schedule_id(body.get("scheduleId")))
    response = operation(services, request.install_id, body)
    paged_route = f"GET /v1/installs/{request.install_id}/schedules"
    return compress_if_needed(
        response, request, f"The answer is too large; accept gzip, or page through {paged_route}"
    )


def _loggable_schedule_id(value: object) -> str | None:
    """For the log, whose reader it must not mislead: nothing but an id."""
    return parse_schedule_id(value.strip()) if isinstance(value, str) else None


def error_response(error: SchedulingError) -> Response:
    """The answer of an error, in the callback's form."""
    status = callback_status(error)
    if isinstance(error, InstallNotFound):
        return json_response(404, dump_json({"error": str(error), "code": error.code}))
    if status == 500:
        return json_response(500, dump_json({"error": "Internal error", "code": "INTERNAL_ERROR"}))
    body: dict[str, object] = {"success": False, "error": str(error)}
    if error.field_errors:
        body["fieldErrors"] = error.field_errors
    return json_response(status, dump_json(body | {"code": error.code}), retry_headers(error))


callback_handler = boundary(error_response)
