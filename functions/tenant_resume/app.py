"""POST /admin/v1/tenants/{tenantId}/resume"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.parsing import pause_response
from scheduling.api.problems import rest_handler
from scheduling.domain.ids import admin_actor
from scheduling.operations.installs.tenants import set_tenant_paused

services = bootstrap.services()


@rest_handler("tenant_resume")
def handler(request: Request) -> Response:
    """How far it is resumed; the same again goes on with what is left. What is enabled fires again."""
    return pause_response(
        set_tenant_paused(services, request.tenant_id, paused=False, actor=admin_actor(request.principal))
    )
