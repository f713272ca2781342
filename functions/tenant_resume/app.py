"""POST /admin/v1/tenants/{tenantId}/resume"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request
from scheduling.api.parsing import turned
from scheduling.api.problems import rest
from scheduling.domain.ids import admin
from scheduling.operations.installs.tenants import turn_tenant

services = bootstrap.services()


@rest("tenant_resume")
def handler(request: Request) -> Answer:
    """How far it is resumed; the same again goes on with what is left. What is enabled fires again."""
    return turned(turn_tenant(services, request.tenant_id, paused=False, by=admin(request.principal)))
