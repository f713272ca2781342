"""POST /admin/v1/tenants/{tenantId}/pause"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request
from scheduling.api.parsing import turned
from scheduling.api.problems import rest
from scheduling.domain.ids import admin
from scheduling.operations.installs.tenants import turn_tenant

services = bootstrap.services()


@rest("tenant_pause")
def handler(request: Request) -> Answer:
    """How far it is paused; the same again goes on with what is left. Nothing of the tenant fires any more."""
    return turned(turn_tenant(services, request.tenant_id, paused=True, by=admin(request.principal)))
