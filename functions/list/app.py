"""GET /v1/installs/{installId}/schedules"""

from scheduling import bootstrap
from scheduling.api.http import Request, Response, json_response
from scheduling.api.parsing import encode_cursor, parse_page_limit, parse_schedule_cursor
from scheduling.api.problems import MAX_PAGE_BYTES, rest_handler
from scheduling.api.rendering import dump_json, schedules_json
from scheduling.operations.schedules.queries import list_schedules

services = bootstrap.services()


@rest_handler("list")
def handler(request: Request) -> Response:
    """A page of the install's schedules, oldest first."""
    page = list_schedules(
        services,
        request.install_id,
        after=parse_schedule_cursor(request.query_parameter("cursor")),
        limit=parse_page_limit(request.query_parameter("limit")),
        max_bytes=MAX_PAGE_BYTES,
    )
    next_cursor = dump_json(encode_cursor(page.next_after))
    return json_response(200, f'{{"schedules":{schedules_json(page.schedules)},"nextCursor":{next_cursor}}}')
