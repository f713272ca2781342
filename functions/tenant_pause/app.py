"""POST /admin/v1/tenants/{tenantId}/pause"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.problems import rest_handler
from scheduling.api.rendering import pause_response
from scheduling.domain.ids import admin_actor
from scheduling.operations.installs.tenants import set_tenant_paused

services = bootstrap.services()


@rest_handler("tenant_pause")
def handler(request: Request) -> Response:
    """Pause the tenant, so that none of its schedules fires, and return how far that is propagated.

    A repeated request continues with the installs that are left.
    """
    actor = admin_actor(request.principal)
    return pause_response(set_tenant_paused(services, request.tenant_id, paused=True, actor=actor))
