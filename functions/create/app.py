"""POST /v1/installs/{installId}/schedules"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.parsing import parse_create, parse_schedule_body
from scheduling.api.problems import extension_handler
from scheduling.api.rendering import schedule_response
from scheduling.operations.schedules.create import create_schedule

services = bootstrap.services()


@extension_handler("create", bootstrap.call_budget())
def handler(request: Request) -> Response:
    """Create a schedule, or return the one that an earlier request with the same `Idempotency-Key` created."""
    body = parse_schedule_body(request, services.limits)
    schedule_input, key = parse_create(request, body)
    schedule = create_schedule(services, request.install_id, schedule_input, key)
    location = f"/v1/installs/{schedule.install_id}/schedules/{schedule.id}"
    return schedule_response(201, schedule, location=location)
