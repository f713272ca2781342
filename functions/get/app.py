"""GET /v1/installs/{installId}/schedules/{scheduleId}"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.parsing import schedule_id_from_path
from scheduling.api.problems import extension_handler
from scheduling.api.rendering import schedule_response
from scheduling.operations.schedules.queries import get_schedule

services = bootstrap.services()


@extension_handler("get", bootstrap.call_budget())
def handler(request: Request) -> Response:
    """Return a schedule of the install."""
    schedule_id = schedule_id_from_path(request.path_parameter("scheduleId"))
    return schedule_response(200, get_schedule(services, request.install_id, schedule_id))
