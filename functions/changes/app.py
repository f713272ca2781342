"""GET /admin/v1/installs/{installId}/changes"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.paging import parse_change_cursor, parse_page_limit
from scheduling.api.parsing import parse_queried_schedule
from scheduling.api.problems import rest_handler
from scheduling.api.rendering import change_page_response
from scheduling.operations.installs.changes import changes_scope, list_changes

services = bootstrap.services()


@rest_handler("changes")
def handler(request: Request) -> Response:
    """Return a page of what has changed of the install and its schedules, newest first."""
    schedule_id = parse_queried_schedule(request.query_parameter("schedule"))
    scope = changes_scope(request.install_id, schedule_id)
    page = list_changes(
        request.install_id,
        schedule_id,
        before=parse_change_cursor(scope, request.query_parameter("cursor")),
        limit=parse_page_limit(request.query_parameter("limit")),
    )
    return change_page_response(page, scope)
