"""GET /admin/v1/tenants/{tenantId}/schedules"""

from scheduling import bootstrap
from scheduling.api.http import MAX_PAGE_BYTES, Request, Response
from scheduling.api.paging import parse_page_request, parse_tenant_cursor
from scheduling.api.problems import rest_handler
from scheduling.api.rendering import tenant_page_response
from scheduling.domain.views import cursor_scope
from scheduling.operations.installs.tenants import list_tenant_schedules

services = bootstrap.services()


@rest_handler("tenant_schedules")
def handler(request: Request) -> Response:
    """Return a page of the schedules of all installs of the tenant."""
    page_request = parse_page_request(
        request, lambda: cursor_scope("tenant-schedules", request.tenant_id), parse_tenant_cursor
    )
    page = list_tenant_schedules(
        services,
        request.tenant_id,
        after=page_request.position,
        limit=page_request.limit,
        max_bytes=MAX_PAGE_BYTES,
    )
    return tenant_page_response(page, page_request.scope)
