"""The one table from error to HTTP status, and errors as problem documents (RFC 9457)."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from scheduling.api.boundary import Handler, Route, boundary
from scheduling.api.call_budget import CallBudget
from scheduling.api.http import Response, json_response
from scheduling.domain import errors
from scheduling.domain.errors import RemapFailed, SchedulingError

_STATUSES: Mapping[type[errors.SchedulingError], int] = {
    errors.ValidationFailed: 400,
    errors.BodyTooLarge: 400,  # not 413, which a deployed runner reports as an internal error
    errors.InvalidCursor: 400,
    errors.RulesViolated: 400,
    errors.CapabilityDenied: 403,
    errors.InstallNotFound: 404,
    errors.ScheduleNotFound: 404,
    errors.NameTaken: 409,
    errors.QuotaExceeded: 409,
    errors.IdempotencyMismatch: 409,
    errors.InstallConflict: 409,
    errors.RemapFailed: 409,
    errors.NotRunnable: 409,
    errors.BackfillInProgress: 409,
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
"""Deployed runners expect the status of a broken rule for these three."""


def rest_status(error: errors.SchedulingError) -> int:
    """Return the error's status in the resource API (contract, section 2)."""
    return _STATUSES.get(type(error), 500)


def callback_status(error: errors.SchedulingError) -> int:
    """Return the error's status in the callback (contract, section 1)."""
    return _CALLBACK_STATUSES.get(type(error), 500)


def retry_headers(error: errors.SchedulingError) -> Mapping[str, str]:
    """Return the header that says when to retry, if a retry helps."""
    if isinstance(error, errors.RateLimited | errors.Unavailable):
        return {"retry-after": str(error.retry_after)}
    return {}


def problem_response(error: SchedulingError) -> Response:
    """Return the error as a problem document."""
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
    return json_response(
        status, problem, {"content-type": "application/problem+json", **retry_headers(error)}
    )


rest_handler = boundary(problem_response)
"""Decorator for the handlers of the admin API."""


def extension_handler(operation: str, budget: CallBudget) -> Callable[[Route], Handler]:
    """Return the decorator for a handler of the resource API, in which each install has a budget of calls."""
    return boundary(problem_response, budget)(operation)
