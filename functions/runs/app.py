"""GET /v1/installs/{installId}/schedules/{scheduleId}/runs"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.paging import parse_page_request, parse_run_cursor
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
    page_request = parse_page_request(
        request, lambda: cursor_scope("runs", install_id, schedule_id), parse_run_cursor
    )
    page = list_runs(
        services,
        install_id,
        schedule_id,
        before=page_request.position,
        limit=page_request.limit,
    )
    return run_page_response(page, page_request.scope)
