"""POST /v1/installs/{installId}/schedules/preview"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response
from scheduling.api.parsing import parse_schedule_body, parse_schedule_input
from scheduling.api.problems import extension_handler
from scheduling.api.rendering import preview_response
from scheduling.operations.schedules.preview import preview_schedule

services = bootstrap.services()


@extension_handler("preview", bootstrap.call_budget())
def handler(request: Request) -> Response:
    """Return the result that a create with the same body would have, and the next fires, without a change."""
    schedule_input = parse_schedule_input(parse_schedule_body(request, services.limits))
    return preview_response(preview_schedule(services, request.install_id, schedule_input))
