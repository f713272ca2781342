"""GET /admin/v1/tenants/{tenantId}/schedules"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response, json_response
from scheduling.api.parsing import encode_tenant_cursor, parse_page_limit, parse_tenant_cursor
from scheduling.api.problems import MAX_PAGE_BYTES, rest_handler
from scheduling.api.rendering import dump_json, tenant_schedules_json
from scheduling.operations.installs.tenants import list_tenant_schedules

services = bootstrap.services()


@rest_handler("tenant_schedules")
def handler(request: Request) -> Response:
    """A page of the schedules of all installs of the tenant."""
    page = list_tenant_schedules(
        services,
        request.tenant_id,
        after=parse_tenant_cursor(request.query_parameter("cursor")),
        limit=parse_page_limit(request.query_parameter("limit")),
        max_bytes=MAX_PAGE_BYTES,
    )
    next_cursor = dump_json(encode_tenant_cursor(page.next_after))
    return json_response(
        200, f'{{"schedules":{tenant_schedules_json(page.schedules)},"nextCursor":{next_cursor}}}'
    )
