"""DELETE /admin/v1/installs/{installId}"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response, empty_response
from scheduling.api.problems import rest_handler
from scheduling.domain.ids import admin_actor
from scheduling.operations.installs.uninstall import delete_install

services = bootstrap.services()


@rest_handler("install_delete")
def handler(request: Request) -> Response:
    """Delete the install with all of its schedules, timers and names."""
    delete_install(services, request.install_id, actor=admin_actor(request.principal))
    return empty_response(204)
