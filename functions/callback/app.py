"""POST /api/internal/ext-scheduler/install/{installId}: what deployed runners call."""

from scheduling import bootstrap
from scheduling.api.callback import callback_handler, dispatch_operation
from scheduling.api.http import Request, Response

services = bootstrap.services()


@callback_handler("callback")
def handler(request: Request) -> Response:
    """One of six operations, by the body's `operation`."""
    return dispatch_operation(services, request)
