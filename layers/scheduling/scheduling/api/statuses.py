"""The one table from error to HTTP status."""

from collections.abc import Mapping

from scheduling.domain import errors

_STATUSES: Mapping[type[errors.SchedulingError], int] = {
    errors.ValidationFailed: 400,
    errors.CapabilityDenied: 403,
    errors.InstallNotFound: 404,
    errors.ScheduleNotFound: 404,
    errors.NameTaken: 409,
    errors.QuotaReached: 409,
    errors.IdempotencyMismatch: 409,
    errors.InstallConflict: 409,
    errors.RemapFailed: 409,
    errors.NotRunnable: 409,
    errors.PreconditionFailed: 412,
    errors.AnswerTooLarge: 413,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
    errors.Uncertain: 503,
}

_CALLBACK_STATUSES = {
    **_STATUSES,
    errors.ScheduleNotFound: 400,
    errors.NameTaken: 400,
    errors.QuotaReached: 400,
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
