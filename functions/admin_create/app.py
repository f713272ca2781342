"""POST /admin/v1/installs/{installId}/schedules"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.parsing import parse_create, parse_schedule_body
from scheduling.api.problems import rest_handler
from scheduling.api.rendering import schedule_response
from scheduling.domain.ids import admin_actor
from scheduling.operations.schedules.create import create_schedule

services = bootstrap.services()


@rest_handler("admin_create")
def handler(request: Request) -> Response:
    """Create a schedule for an install, as one of the platform's admins."""
    body = parse_schedule_body(request, services.limits)
    schedule_input, key = parse_create(request, body)
    actor = admin_actor(request.principal)
    schedule = create_schedule(services, request.install_id, schedule_input, key, actor=actor)
    location = f"/admin/v1/installs/{schedule.install_id}/schedules/{schedule.id}"
    return schedule_response(201, schedule, location=location)
