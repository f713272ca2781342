"""DELETE /admin/v1/installs/{installId}/schedules/{scheduleId}"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response, empty_response
from scheduling.api.parsing import parse_if_match, schedule_id_from_path
from scheduling.api.problems import rest_handler
from scheduling.domain.ids import admin_actor
from scheduling.operations.schedules.delete import delete_schedule

services = bootstrap.services()


@rest_handler("admin_delete")
def handler(request: Request) -> Response:
    """Delete a schedule, as one of the platform's admins."""
    delete_schedule(
        services,
        request.install_id,
        schedule_id_from_path(request.path_parameter("scheduleId")),
        if_match=parse_if_match(request.header("if-match")),
        actor=admin_actor(request.principal),
    )
    return empty_response(204)
