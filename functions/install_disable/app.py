"""POST /admin/v1/installs/{installId}/disable"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.problems import rest_handler
from scheduling.api.rendering import install_response
from scheduling.domain.ids import admin_actor
from scheduling.operations.installs.register import get_install, set_install_enabled

services = bootstrap.services()


@rest_handler("install_disable")
def handler(request: Request) -> Response:
    """Disable the install: its schedules stay, but do not fire."""
    set_install_enabled(services, request.install_id, enabled=False, actor=admin_actor(request.principal))
    return install_response(*get_install(services, request.install_id))
