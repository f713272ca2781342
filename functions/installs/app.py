"""GET /admin/v1/installs"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.paging import parse_install_cursor, parse_page_limit
from scheduling.api.problems import rest_handler
from scheduling.api.rendering import install_page_response
from scheduling.operations.installs.queries import installs_scope, list_installs

services = bootstrap.services()


@rest_handler("installs")
def handler(request: Request) -> Response:
    """Return a page of the installs of the tenant that the query names, or of all tenants."""
    tenant_id = request.queried_tenant_id
    scope = installs_scope(tenant_id)
    page = list_installs(
        services,
        tenant_id,
        after=parse_install_cursor(scope, request.query_parameter("cursor")),
        limit=parse_page_limit(request.query_parameter("limit")),
    )
    return install_page_response(page, scope)
