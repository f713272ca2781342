"""GET /v1/installs/{installId}/schedules"""

from scheduling import bootstrap
from scheduling.api.http import MAX_PAGE_BYTES, Request, Response
from scheduling.api.paging import parse_page_limit, parse_schedule_cursor
from scheduling.api.problems import extension_handler
from scheduling.api.rendering import schedule_page_response
from scheduling.domain.views import cursor_scope
from scheduling.operations.schedules.queries import list_schedules

services = bootstrap.services()


@extension_handler("list", bootstrap.call_budget())
def handler(request: Request) -> Response:
    """Return a page of the install's schedules, oldest first."""
    scope = cursor_scope("schedules", request.install_id)
    page = list_schedules(
        services,
        request.install_id,
        after=parse_schedule_cursor(scope, request.query_parameter("cursor")),
        limit=parse_page_limit(request.query_parameter("limit")),
        max_bytes=MAX_PAGE_BYTES,
    )
    return schedule_page_response(page, scope)
