"""POST /admin/v1/installs/{installId}/schedules/{scheduleId}/run"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response, json_response
from scheduling.api.parsing import parse_idempotency_header, schedule_id_from_path
from scheduling.api.problems import rest_handler
from scheduling.domain.ids import admin_actor
from scheduling.operations.runs.run_now import run_now

services = bootstrap.services()


@rest_handler("run")
def handler(request: Request) -> Response:
    """Start a manual run, or return the one that an earlier request with the same `Idempotency-Key` started."""
    key = parse_idempotency_header(request.header("idempotency-key"))
    schedule_id = schedule_id_from_path(request.path_parameter("scheduleId"))
    actor = admin_actor(request.principal)
    fire = run_now(services, services.queue.send_fire, request.install_id, schedule_id, key, actor=actor)
    return json_response(202, {"scheduleId": fire.schedule_id, "scheduledTime": fire.scheduled_time})
