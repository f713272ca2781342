"""POST /admin/v1/installs/{installId}/disable"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response, json_response
from scheduling.api.problems import rest_handler
from scheduling.api.rendering import dump_json, install_fields
from scheduling.domain.ids import admin_actor
from scheduling.operations.installs.register import get_install, set_install_enabled

services = bootstrap.services()


@rest_handler("install_disable")
def handler(request: Request) -> Response:
    """The install, disabled: its schedules stay, and fire no more."""
    set_install_enabled(services, request.install_id, enabled=False, actor=admin_actor(request.principal))
    return json_response(200, dump_json(install_fields(*get_install(services, request.install_id))))
