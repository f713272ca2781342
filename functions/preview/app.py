"""POST /v1/installs/{installId}/schedules/preview"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request, answer
from scheduling.api.parsing import schedule_input
from scheduling.api.problems import rest
from scheduling.api.rendering import compact, preview_fields
from scheduling.operations.schedules.preview import preview

services = bootstrap.services()


@rest("preview")
def handler(request: Request) -> Answer:
    """What a create with that body would come to, and when it would fire; nothing is written."""
    found = preview(services, request.install_id, schedule_input(request.json_object()))
    return answer(200, compact(preview_fields(found)))
