"""GET /admin/v1/installs/{installId}/changes"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.paging import parse_change_cursor, parse_page_request
from scheduling.api.parsing import queried_schedule
from scheduling.api.problems import rest_handler
from scheduling.api.rendering import change_page_response
from scheduling.operations.installs.changes import changes_scope, list_changes

services = bootstrap.services()


@rest_handler("changes")
def handler(request: Request) -> Response:
    """Return a page of what has changed of the install and its schedules, newest first."""
    page_request = parse_page_request(
        request, lambda: changes_scope(request.install_id, queried_schedule(request)), parse_change_cursor
    )
    page = list_changes(
        request.install_id,
        queried_schedule(request),
        before=page_request.position,
        limit=page_request.limit,
    )
    return change_page_response(page, page_request.scope)
