"""The runner's callback: one route, six operations, responses exactly as in section 1 of the contract."""

from collections.abc import Callable, Mapping
from functools import partial

from scheduling.api.boundary import Handler, Route, boundary
from scheduling.api.call_budget import CallBudget
from scheduling.api.http import (
    MAX_LIST_BYTES,
    Request,
    Response,
    compress_if_needed,
    json_response,
)
from scheduling.api.observability import logger
from scheduling.api.parsing import parse_schedule_body, parse_schedule_input, schedule_id_from_body
from scheduling.api.problems import callback_status, retry_headers
from scheduling.api.rendering import endpoints_response
from scheduling.domain.errors import (
    InstallNotFound,
    NameTaken,
    QuotaExceeded,
    ResponseTooLarge,
    RulesViolated,
    ScheduleNotFound,
    SchedulingError,
    ValidationFailed,
)
from scheduling.domain.ids import InstallId, parse_schedule_id
from scheduling.domain.rules import SCHEDULE_FIELDS, ScheduleInput
from scheduling.domain.views import schedule_fields
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule, list_endpoints, list_schedules
from scheduling.operations.schedules.update import update_schedule
from scheduling.operations.services import Services

Body = Mapping[str, object]
RULE_ERRORS = (RulesViolated, NameTaken, QuotaExceeded, ScheduleNotFound)
"""The errors whose status the parameter CallbackRuleErrorStatus sets."""


def _list_schedules(services: Services, install_id: InstallId, _body: Body) -> Response:
    page = list_schedules(services, install_id, max_bytes=MAX_LIST_BYTES)
    if page.next_after:
        raise ResponseTooLarge(
            f"The answer is too large; page through GET /v1/installs/{install_id}/schedules"
        )
    return json_response(200, {"schedules": [schedule_fields(schedule) for schedule in page.schedules]})


def _get_schedule(services: Services, install_id: InstallId, body: Body) -> Response:
    schedule_id = schedule_id_from_body(body)
    try:
        fields = schedule_fields(get_schedule(services, install_id, schedule_id))
    except ScheduleNotFound:
        return json_response(200, {"schedule": None})
    return json_response(200, {"schedule": fields})


def _create_schedule(services: Services, install_id: InstallId, body: Body) -> Response:
    schedule = create_schedule(services, install_id, _parse_known_fields(body))
    return json_response(201, {"success": True, "scheduleId": schedule.id})


def _update_schedule(services: Services, install_id: InstallId, body: Body) -> Response:
    schedule_id = schedule_id_from_body(body)
    update_schedule(services, install_id, schedule_id, _parse_known_fields(body))
    return json_response(200, {"success": True})


def _delete_schedule(services: Services, install_id: InstallId, body: Body) -> Response:
    schedule_id = schedule_id_from_body(body)
    delete_schedule(services, install_id, schedule_id)
    return json_response(200, {"success": True})


def _get_endpoints(services: Services, install_id: InstallId, _body: Body) -> Response:
    return endpoints_response(list_endpoints(services, install_id))


def _parse_known_fields(body: Body) -> ScheduleInput:
    """Return the fields of a schedule, without those that the operation does not know."""
    return parse_schedule_input({name: body[name] for name in SCHEDULE_FIELDS if name in body})


_OPERATIONS: Mapping[str, Callable[[Services, InstallId, Body], Response]] = {
    "list": _list_schedules,
    "get": _get_schedule,
    "create": _create_schedule,
    "update": _update_schedule,
    "delete": _delete_schedule,
    "getEndpoints": _get_endpoints,
}


def dispatch_operation(services: Services, request: Request) -> Response:
    """Perform the operation that the body names.

    Raises:
        SchedulingError: The operation is refused or fails.
    """
    body = parse_schedule_body(request, services.limits)
    name = body.pop("operation", None)
    operation = _OPERATIONS.get(name) if isinstance(name, str) else None
    if operation is None:
        text = "operation is required" if name is None else "Unknown operation"
        raise ValidationFailed.from_field_errors({"operation": text})
    request.operation = f"callback.{name}"
    logger.thread_safe_append_keys(
        operation=request.operation, schedule_id=_loggable_schedule_id(body.get("scheduleId"))
    )
    response = operation(services, request.install_id, body)
    paged_route = f"GET /v1/installs/{request.install_id}/schedules"
    return compress_if_needed(
        response, request, f"The answer is too large; accept gzip, or page through {paged_route}"
    )


def _loggable_schedule_id(value: object) -> str | None:
    """Return the value if it is an id; nothing else goes into the log, because it could mislead readers."""
    return parse_schedule_id(value.strip()) if isinstance(value, str) else None


def error_response(error: SchedulingError, rule_error_status: int = 400) -> Response:
    """Return the error in the callback's form.

    Args:
        error: The error.
        rule_error_status: The status of a broken rule. A deployed runner passes on the body of a 200 only, so 200
            lets the extension read why.
    """
    status = rule_error_status if isinstance(error, RULE_ERRORS) else callback_status(error)
    if isinstance(error, InstallNotFound):
        return json_response(404, {"error": str(error), "code": error.code})
    if status == 500:
        return json_response(500, {"error": "Internal error", "code": "INTERNAL_ERROR"})
    body: dict[str, object] = {"success": False, "error": str(error)}
    if error.field_errors:
        body["fieldErrors"] = error.field_errors
    return json_response(status, {**body, "code": error.code}, retry_headers(error))


def callback_handler(
    operation: str, *, rule_error_status: int = 400, budget: CallBudget | None = None
) -> Callable[[Route], Handler]:
    """Return the decorator for the handler of the callback."""
    render_error = partial(error_response, rule_error_status=rule_error_status)
    return boundary(render_error, budget)(operation)
