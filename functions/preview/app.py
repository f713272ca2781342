"""POST /v1/installs/{installId}/schedules/preview"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response, json_response
from scheduling.api.parsing import parse_schedule_input
from scheduling.api.problems import rest_handler
from scheduling.api.rendering import dump_json, preview_fields
from scheduling.operations.schedules.preview import preview_schedule

services = bootstrap.services()


@rest_handler("preview")
def handler(request: Request) -> Response:
    """What a create with that body would come to, and when it would fire; nothing is written."""
    result = preview_schedule(services, request.install_id, parse_schedule_input(request.parse_json_body()))
    return json_response(200, dump_json(preview_fields(result)))
