"""POST /admin/v1/tenants/{tenantId}/pause"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.parsing import pause_response
from scheduling.api.problems import rest_handler
from scheduling.domain.ids import admin_actor
from scheduling.operations.installs.tenants import set_tenant_paused

services = bootstrap.services()


@rest_handler("tenant_pause")
def handler(request: Request) -> Response:
    """How far it is paused; the same again goes on with what is left. Nothing of the tenant fires any more."""
    return pause_response(
        set_tenant_paused(services, request.tenant_id, paused=True, actor=admin_actor(request.principal))
    )
