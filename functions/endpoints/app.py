"""GET /v1/installs/{installId}/endpoints"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response, json_response
from scheduling.api.problems import rest_handler
from scheduling.api.rendering import dump_json, endpoint_fields
from scheduling.operations.schedules.queries import list_endpoints

services = bootstrap.services()


@rest_handler("endpoints")
def handler(request: Request) -> Response:
    """The endpoints of the installed version, by path then method."""
    endpoints = list_endpoints(services, request.install_id)
    return json_response(200, dump_json({"endpoints": [endpoint_fields(endpoint) for endpoint in endpoints]}))
