"""The SDK's exceptions."""

from collections.abc import Mapping


class BadRequest(Exception):
    """The endpoint cannot handle the request; the caller gets status 400 and the text."""


class SchedulerError(Exception):
    """The scheduler refused a call; `code` says why."""

    code = "internal"


class NotFound(SchedulerError):
    """The install is unknown or disabled."""

    code = "not-found"


class ValidationFailed(SchedulerError):
    """The scheduler considers the call invalid."""

    code = "validation-failed"


class QuotaExceeded(SchedulerError):
    """The install exceeded a quota."""

    code = "quota-exceeded"


class Denied(SchedulerError):
    """The install does not have the capability `cap:scheduler.manage`."""

    code = "denied"


class SchedulerInternalError(SchedulerError):
    """The scheduler failed or did not respond."""


class ScheduleRejected(SchedulerError):
    """The scheduler refused a create, update or delete; `field_errors` names the invalid fields."""

    code = "rejected"

    def __init__(self, error: str, field_errors: Mapping[str, str]) -> None:
        super().__init__(error)
        self.field_errors = field_errors


class RejectedNotFound(ScheduleRejected, NotFound):
    """A change that a runner refused with the case not-found only."""

    code = NotFound.code


class RejectedValidationFailed(ScheduleRejected, ValidationFailed):
    """A change that a runner refused with the case validation-failed only."""

    code = ValidationFailed.code


class RejectedQuotaExceeded(ScheduleRejected, QuotaExceeded):
    """A change that a runner refused with the case quota-exceeded only."""

    code = QuotaExceeded.code


class RejectedDenied(ScheduleRejected, Denied):
    """A change that a runner refused with the case denied only."""

    code = Denied.code


class RejectedInternalError(ScheduleRejected, SchedulerInternalError):
    """A change that a runner refused with the case internal only."""

    code = SchedulerInternalError.code


REJECTIONS_BY_CODE: Mapping[str, type[ScheduleRejected]] = {
    error.code: error
    for error in (
        RejectedNotFound,
        RejectedValidationFailed,
        RejectedQuotaExceeded,
        RejectedDenied,
        RejectedInternalError,
    )
}
ERRORS_BY_CODE: Mapping[str, type[SchedulerError]] = {
    error.code: error for error in (NotFound, ValidationFailed, QuotaExceeded, Denied, SchedulerInternalError)
}
