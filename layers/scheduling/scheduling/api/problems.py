"""The one table from error to HTTP status."""

from collections.abc import Mapping
from http import HTTPStatus

from scheduling.api.boundary import boundary
from scheduling.api.http import Response, json_response
from scheduling.api.rendering import dump_json, schedule_json
from scheduling.domain import errors
from scheduling.domain.errors import RemapFailed, SchedulingError
from scheduling.domain.schedule import Schedule

_STATUSES: Mapping[type[errors.SchedulingError], int] = {
    errors.ValidationFailed: 400,
    errors.CapabilityDenied: 403,
    errors.InstallNotFound: 404,
    errors.ScheduleNotFound: 404,
    errors.NameTaken: 409,
    errors.QuotaExceeded: 409,
    errors.IdempotencyMismatch: 409,
    errors.InstallConflict: 409,
    errors.RemapFailed: 409,
    errors.NotRunnable: 409,
    errors.PreconditionFailed: 412,
    errors.ResponseTooLarge: 413,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
    errors.UnconfirmedChange: 503,
}

_CALLBACK_STATUSES = {
    **_STATUSES,
    errors.ScheduleNotFound: 400,
    errors.NameTaken: 400,
    errors.QuotaExceeded: 400,
}
"""Deployed runners know these three as a broken rule."""


def rest_status(error: errors.SchedulingError) -> int:
    """By contract section 2."""
    return _STATUSES.get(type(error), 500)


def callback_status(error: errors.SchedulingError) -> int:
    """By contract section 1."""
    return _CALLBACK_STATUSES.get(type(error), 500)


def retry_headers(error: errors.SchedulingError) -> Mapping[str, str]:
    """When to try again, where that helps."""
    if isinstance(error, errors.RateLimited | errors.Unavailable):
        return {"retry-after": str(error.retry_after)}
    return {}


MAX_PAGE_BYTES = 4_000_000
"""How much of payloads goes into one page, well below what Lambda may answer."""


def problem_response(error: SchedulingError) -> Response:
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
    return json_response(status, dump_json(problem), headers)


rest_handler = boundary(problem_response)


def schedule_response(status: int, schedule: Schedule, **headers: str) -> Response:
    """A schedule with its ETag."""
    return json_response(status, schedule_json(schedule), {"etag": f'"{schedule.revision}"', **headers})
