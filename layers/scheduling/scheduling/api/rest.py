"""The resource API and the platform's: errors as application/problem+json (RFC 9457), and the answers' forms."""

from http import HTTPStatus

from scheduling.api.boundary import boundary
from scheduling.api.http import Answer, answer
from scheduling.api.render import compact, schedule_json
from scheduling.api.statuses import rest_status, retry_headers
from scheduling.domain.errors import RemapFailed, SchedulingError
from scheduling.domain.schedule import Schedule

PAGE_BYTES = 4_000_000
"""How much of payloads goes into one page, well below what Lambda may answer."""


def explain(error: SchedulingError) -> Answer:
    """The answer of an error as a problem document."""
    status = rest_status(error)
    problem: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": "Internal error" if status == 500 else str(error),
        "code": error.code,
    }
    if error.field_errors:
        problem["fieldErrors"] = error.field_errors
    if isinstance(error, RemapFailed):
        problem["missing"] = [{"scheduleId": s, "endpoint": endpoint} for s, endpoint in error.missing]
    headers = {"content-type": "application/problem+json", **retry_headers(error)}
    return answer(status, compact(problem), headers)


rest = boundary(explain)


def one_schedule(status: int, schedule: Schedule, **headers: str) -> Answer:
    """A schedule with its ETag."""
    return answer(status, schedule_json(schedule), {"etag": f'"{schedule.revision}"', **headers})
