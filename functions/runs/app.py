"""GET /v1/installs/{installId}/schedules/{scheduleId}/runs"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request, answer
from scheduling.api.parsing import cursor_of, page_limit, run_position, schedule_id_of
from scheduling.api.problems import rest
from scheduling.api.rendering import compact, run_fields
from scheduling.operations.schedules.queries import list_runs

services = bootstrap.services()


@rest("runs")
def handler(request: Request) -> Answer:
    """A page of the schedule's history, newest first."""
    page = list_runs(
        services,
        request.install_id,
        schedule_id_of(request.path("scheduleId")),
        before=run_position(request.query("cursor")),
        limit=page_limit(request.query("limit")),
    )
    runs = [run_fields(run) for run in page.runs]
    return answer(200, compact({"runs": runs, "nextCursor": cursor_of(page.next_before)}))
