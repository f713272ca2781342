"""What every HTTP handler has in common: log context, metrics, and errors as responses."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from scheduling.api.call_budget import CallBudget
from scheduling.api.http import Request, Response
from scheduling.api.observability import MetricValues, bind_request, emit_metrics, logger
from scheduling.domain.errors import QuotaExceeded, RateLimited, SchedulingError
from scheduling.domain.ids import parse_install_id
from scheduling.operations.services import limited_to_tenant, retries_bounded_by

Handler = Callable[[dict[str, Any], LambdaContext], Response]
Route = Callable[[Request], Response]
_REFUSAL_METRICS = {QuotaExceeded: "QuotaRefusals", RateLimited: "RateRefusals"}


def boundary(
    render_error: Callable[[SchedulingError], Response], budget: CallBudget | None = None
) -> Callable[[str], Callable[[Route], Handler]]:
    """Return a decorator factory, by operation, that turns a route into a Lambda handler.

    Args:
        render_error: Returns the response for an error.
        budget: The calls of each install; None for the platform's own routes.
    """

    def for_operation(operation: str) -> Callable[[Route], Handler]:
        def decorate(route: Route) -> Handler:
            @wraps(route)
            def handler(event: dict[str, Any], context: LambdaContext) -> Response:
                request = Request(event, operation)
                bind_request(
                    context,
                    operation,
                    tenant_id=request.path_parameter("tenantId"),
                    install_id=request.loggable_install_id,
                    schedule_id=request.path_parameter("scheduleId"),
                )
                started_at = time.perf_counter()
                result, error = _call_route(route, request, context, budget)
                response = result or render_error(error or SchedulingError("Internal error"))
                _emit_call_metrics(
                    request.operation, response["statusCode"], time.perf_counter() - started_at, error
                )
                return response

            return handler

        return decorate

    return for_operation


def _call_route(
    route: Route, request: Request, context: LambdaContext, budget: CallBudget | None
) -> tuple[Response | None, SchedulingError | None]:
    """Return the response, or the error to report; both are None for an error that the caller must not see."""
    try:
        with (
            retries_bounded_by(context.get_remaining_time_in_millis() / 1000),
            limited_to_tenant(request.token_tenant_id),
        ):
            if budget:
                _require_budget(budget, request)
            return route(request), None
    except SchedulingError as error:
        logger.info("refused", code=error.code, reason=str(error))
        return None, error
    except Exception:
        logger.exception("failed")
        return None, None


def _require_budget(budget: CallBudget, request: Request) -> None:
    """Count the call of the install in the path; what cannot be an install reads nothing, and has no budget.

    Raises:
        RateLimited: The install has made too many calls.
    """
    install_id = parse_install_id(request.path_parameter("installId"))
    if install_id and (wait := budget.take_call(install_id, time.monotonic_ns())):
        raise RateLimited(wait)


def _emit_call_metrics(operation: str, status: int, seconds: float, error: SchedulingError | None) -> None:
    values: MetricValues = {
        "Calls": (MetricUnit.Count, 1),
        "LatencyMs": (MetricUnit.Milliseconds, seconds * 1000),
    }
    if isinstance(error, QuotaExceeded | RateLimited):
        values = {**values, _REFUSAL_METRICS[type(error)]: (MetricUnit.Count, 1)}
    emit_metrics(values, operation=operation, status=str(status))
