"""POST /api/internal/ext-scheduler/install/{installId}: what deployed runners call."""

from scheduling import bootstrap
from scheduling.api.callback import call, callback
from scheduling.api.http import Answer, Request

services = bootstrap.services()


@callback("callback")
def handler(request: Request) -> Answer:
    """One of six operations, by the body's `operation`."""
    return call(services, request)
