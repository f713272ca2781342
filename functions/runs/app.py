"""GET /v1/installs/{installId}/schedules/{scheduleId}/runs"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response, json_response
from scheduling.api.parsing import encode_cursor, parse_page_limit, parse_run_cursor, schedule_id_from_path
from scheduling.api.problems import rest_handler
from scheduling.api.rendering import dump_json, run_fields
from scheduling.operations.schedules.queries import list_runs

services = bootstrap.services()


@rest_handler("runs")
def handler(request: Request) -> Response:
    """A page of the schedule's history, newest first."""
    page = list_runs(
        services,
        request.install_id,
        schedule_id_from_path(request.path_parameter("scheduleId")),
        before=parse_run_cursor(request.query_parameter("cursor")),
        limit=parse_page_limit(request.query_parameter("limit")),
    )
    runs = [run_fields(run) for run in page.runs]
    return json_response(200, dump_json({"runs": runs, "nextCursor": encode_cursor(page.next_before)}))
