"""Around every HTTP handler: its log, its metrics, and its errors as answers."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from scheduling.api.http import Answer, Request
from scheduling.api.observability import Values, begin, emit, logger
from scheduling.domain.errors import QuotaReached, RateLimited, SchedulingError
from scheduling.operations.services import ending_within

Handler = Callable[[dict[str, Any], LambdaContext], Answer]
Route = Callable[[Request], Answer]
_REFUSALS = {QuotaReached: "QuotaRefusals", RateLimited: "RateRefusals"}


def boundary(explain: Callable[[SchedulingError], Answer]) -> Callable[[str], Callable[[Route], Handler]]:
    """A decorator that makes a Lambda handler of an operation's route; `explain` gives the answer of an error."""

    def named(operation: str) -> Callable[[Route], Handler]:
        def decorate(route: Route) -> Handler:
            @wraps(route)
            def handler(event: dict[str, Any], context: LambdaContext) -> Answer:
                request = Request(event, operation)
                begin(
                    context,
                    operation,
                    tenant_id=request.path("tenantId"),
                    install_id=request.path("installId"),
                    schedule_id=request.path("scheduleId"),
                )
                began = time.perf_counter()
                answer, error = _answered(route, request, context)
                made = answer or explain(error or SchedulingError("Internal error"))
                _count(request.operation, made["statusCode"], time.perf_counter() - began, error)
                return made

            return handler

        return decorate

    return named


def _answered(
    route: Route, request: Request, context: LambdaContext
) -> tuple[Answer | None, SchedulingError | None]:
    """The answer, or the error that it is to tell of; None is one that nobody is to be told of."""
    try:
        with ending_within(context.get_remaining_time_in_millis() / 1000):
            return route(request), None
    except SchedulingError as error:
        logger.info("refused", code=error.code, reason=str(error))
        return None, error
    except Exception:
        logger.exception("failed")
        return None, None


def _count(operation: str, status: int, seconds: float, error: SchedulingError | None) -> None:
    values: Values = {"Calls": (MetricUnit.Count, 1), "LatencyMs": (MetricUnit.Milliseconds, seconds * 1000)}
    if isinstance(error, QuotaReached | RateLimited):
        values = {**values, _REFUSALS[type(error)]: (MetricUnit.Count, 1)}
    emit(values, operation=operation, status=str(status))
