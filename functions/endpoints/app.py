"""GET /v1/installs/{installId}/endpoints"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.problems import extension_handler
from scheduling.api.rendering import endpoints_response
from scheduling.operations.schedules.queries import list_endpoints

services = bootstrap.services()


@extension_handler("endpoints", bootstrap.call_budget())
def handler(request: Request) -> Response:
    """Return the endpoints of the installed version, by path then method."""
    return endpoints_response(list_endpoints(services, request.install_id))
