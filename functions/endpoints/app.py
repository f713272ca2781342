"""GET /v1/installs/{installId}/endpoints"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request, answer
from scheduling.api.problems import rest
from scheduling.api.rendering import compact, endpoint_fields
from scheduling.operations.schedules.queries import list_endpoints

services = bootstrap.services()


@rest("endpoints")
def handler(request: Request) -> Answer:
    """The endpoints of the installed version, by path then method."""
    endpoints = list_endpoints(services, request.install_id)
    return answer(200, compact({"endpoints": [endpoint_fields(endpoint) for endpoint in endpoints]}))
