"""GET /v1/installs/{installId}/schedules"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request, answer
from scheduling.api.parsing import cursor_of, page_limit, schedule_position
from scheduling.api.problems import PAGE_BYTES, rest
from scheduling.api.rendering import compact, schedules_json
from scheduling.operations.schedules.queries import list_schedules

services = bootstrap.services()


@rest("list")
def handler(request: Request) -> Answer:
    """A page of the install's schedules, oldest first."""
    page = list_schedules(
        services,
        request.install_id,
        after=schedule_position(request.query("cursor")),
        limit=page_limit(request.query("limit")),
        max_bytes=PAGE_BYTES,
    )
    next_cursor = compact(cursor_of(page.next_after))
    return answer(200, f'{{"schedules":{schedules_json(page.schedules)},"nextCursor":{next_cursor}}}')
