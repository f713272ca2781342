"""PATCH /admin/v1/installs/{installId}/schedules/{scheduleId}"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.parsing import (
    parse_if_match,
    parse_schedule_body,
    parse_schedule_input,
    schedule_id_from_path,
)
from scheduling.api.problems import rest_handler
from scheduling.api.rendering import schedule_response
from scheduling.domain.ids import admin_actor
from scheduling.operations.schedules.update import update_schedule

services = bootstrap.services()


@rest_handler("admin_update")
def handler(request: Request) -> Response:
    """Change fields of a schedule, as one of the platform's admins."""
    schedule = update_schedule(
        services,
        request.install_id,
        schedule_id_from_path(request.path_parameter("scheduleId")),
        parse_schedule_input(parse_schedule_body(request, services.limits)),
        if_match=parse_if_match(request.header("if-match")),
        actor=admin_actor(request.principal),
    )
    return schedule_response(200, schedule)
