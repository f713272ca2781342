"""GET /v1/installs/{installId}/schedules"""

from scheduling import bootstrap
from scheduling.api.http import MAX_PAGE_BYTES, Request, Response
from scheduling.api.paging import parse_page_request, parse_schedule_cursor
from scheduling.api.problems import extension_handler
from scheduling.api.rendering import schedule_page_response
from scheduling.domain.views import cursor_scope
from scheduling.operations.schedules.queries import list_schedules

services = bootstrap.services()


@extension_handler("list", bootstrap.call_budget())
def handler(request: Request) -> Response:
    """Return a page of the install's schedules, oldest first."""
    page_request = parse_page_request(
        request, lambda: cursor_scope("schedules", request.install_id), parse_schedule_cursor
    )
    page = list_schedules(
        services,
        request.install_id,
        after=page_request.position,
        limit=page_request.limit,
        max_bytes=MAX_PAGE_BYTES,
    )
    return schedule_page_response(page, page_request.scope)
