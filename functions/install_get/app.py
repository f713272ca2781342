"""GET /admin/v1/installs/{installId}"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.problems import rest_handler
from scheduling.api.rendering import install_response
from scheduling.operations.installs.register import get_install

services = bootstrap.services()


@rest_handler("install_get")
def handler(request: Request) -> Response:
    """Return the install, disabled or not."""
    return install_response(*get_install(services, request.install_id))
