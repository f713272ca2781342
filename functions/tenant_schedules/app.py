"""GET /admin/v1/tenants/{tenantId}/schedules"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request, answer
from scheduling.api.parsing import cursor_of_place, page_limit, place_of
from scheduling.api.problems import PAGE_BYTES, rest
from scheduling.api.rendering import compact, tenant_schedules_json
from scheduling.operations.installs.tenants import list_tenant_schedules

services = bootstrap.services()


@rest("tenant_schedules")
def handler(request: Request) -> Answer:
    """A page of the schedules of all installs of the tenant."""
    page = list_tenant_schedules(
        services,
        request.tenant_id,
        after=place_of(request.query("cursor")),
        limit=page_limit(request.query("limit")),
        max_bytes=PAGE_BYTES,
    )
    next_cursor = compact(cursor_of_place(page.next_after))
    return answer(200, f'{{"schedules":{tenant_schedules_json(page.schedules)},"nextCursor":{next_cursor}}}')
