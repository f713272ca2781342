"""GET /admin/v1/installs"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.paging import parse_install_cursor, parse_page_request
from scheduling.api.problems import rest_handler
from scheduling.api.rendering import install_page_response
from scheduling.operations.installs.queries import installs_scope, list_installs

services = bootstrap.services()


@rest_handler("installs")
def handler(request: Request) -> Response:
    """Return a page of the installs of the tenant that the query names, or of all tenants."""
    page_request = parse_page_request(
        request, lambda: installs_scope(request.queried_tenant_id), parse_install_cursor
    )
    page = list_installs(
        services,
        request.queried_tenant_id,
        after=page_request.position,
        limit=page_request.limit,
    )
    return install_page_response(page, page_request.scope)
