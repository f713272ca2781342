"""Around every HTTP handler: its log, and its errors as answers."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from scheduling.api.http import Answer, Request
from scheduling.domain.errors import SchedulingError
from scheduling.operations.services import ending_within

logger = Logger(service="scheduling")
Handler = Callable[[dict[str, Any], LambdaContext], Answer]
Route = Callable[[Request], Answer]


def boundary(explain: Callable[[SchedulingError], Answer]) -> Callable[[Route], Handler]:
    """A decorator that makes a Lambda handler of a route; `explain` gives the answer of an error."""

    def decorate(route: Route) -> Handler:
        @wraps(route)
        def handler(event: dict[str, Any], context: LambdaContext) -> Answer:
            request = Request(event)
            logger.clear_state()
            logger.set_correlation_id(context.aws_request_id)
            logger.append_keys(install_id=request.path("installId"), schedule_id=request.path("scheduleId"))
            try:
                with ending_within(context.get_remaining_time_in_millis() / 1000):
                    return route(request)
            except SchedulingError as error:
                logger.info("refused", code=error.code, reason=str(error))
                return explain(error)
            except Exception:
                logger.exception("failed")
                return explain(SchedulingError("Internal error"))

        return handler

    return decorate
