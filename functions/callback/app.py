"""POST /api/internal/ext-scheduler/install/{installId}: the route that deployed runners call."""

from scheduling import bootstrap
from scheduling.api.callback import callback_handler, dispatch_operation
from scheduling.api.http import Request, Response

services = bootstrap.services()


@callback_handler(
    "callback",
    rule_error_status=bootstrap.callback_rule_error_status(),
    budget=bootstrap.call_budget(),
)
def handler(request: Request) -> Response:
    """Perform the operation, one of six, that the body names."""
    return dispatch_operation(services, request)
