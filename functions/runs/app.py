"""GET /v1/installs/{installId}/schedules/{scheduleId}/runs"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.paging import parse_page_limit, parse_run_cursor
from scheduling.api.parsing import schedule_id_from_path
from scheduling.api.problems import extension_handler
from scheduling.api.rendering import run_page_response
from scheduling.domain.views import cursor_scope
from scheduling.operations.schedules.queries import list_runs

services = bootstrap.services()


@extension_handler("runs", bootstrap.call_budget())
def handler(request: Request) -> Response:
    """Return a page of the schedule's history, newest first."""
    install_id, schedule_id = (
        request.install_id,
        schedule_id_from_path(request.path_parameter("scheduleId")),
    )
    scope = cursor_scope("runs", install_id, schedule_id)
    page = list_runs(
        services,
        install_id,
        schedule_id,
        before=parse_run_cursor(scope, request.query_parameter("cursor")),
        limit=parse_page_limit(request.query_parameter("limit")),
    )
    return run_page_response(page, scope)
