"""GET /admin/v1/installs/{installId}"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response, json_response
from scheduling.api.problems import rest_handler
from scheduling.api.rendering import dump_json, install_fields
from scheduling.operations.installs.register import get_install

services = bootstrap.services()


@rest_handler("install_get")
def handler(request: Request) -> Response:
    """The install, disabled or not."""
    return json_response(200, dump_json(install_fields(*get_install(services, request.install_id))))
