"""POST /admin/v1/installs/{installId}/schedules/{scheduleId}/backfill"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response, json_response
from scheduling.api.parsing import MAX_OTHER_FIELDS_BYTES, schedule_id_from_path
from scheduling.api.problems import rest_handler
from scheduling.domain.deliveries.backfill import parse_backfill_request
from scheduling.domain.ids import admin_actor
from scheduling.domain.views import backfill_fields
from scheduling.operations.runs.backfill import start_backfill

services = bootstrap.services()


@rest_handler("backfill")
def handler(request: Request) -> Response:
    """Run the past occurrences of a period that have not succeeded; with `dryRun`, only name them."""
    schedule_id = schedule_id_from_path(request.path_parameter("scheduleId"))
    body = request.parse_json_body(MAX_OTHER_FIELDS_BYTES)
    backfill_request = parse_backfill_request(body, services.clock())
    actor = admin_actor(request.principal)
    plan = start_backfill(services, request.install_id, schedule_id, backfill_request, actor=actor)
    fields = backfill_fields(schedule_id, backfill_request, plan)
    return json_response(200 if backfill_request.dry_run else 202, fields)
